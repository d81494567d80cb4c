#!/usr/bin/env bash
# Checks both directions between the built tool and Minari's own package, which is installed from PyPI
# into .deps/minari (pinned by version and SHA-256, with what it needs) the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=.deps/minari
requirements=Scripts/minari-requirements.txt

fail() { echo "test-minari: $*" >&2; exit 1; }

if ! cmp -s "$requirements" "$deps/installed.txt"; then
    echo "test-minari: installing Minari into $deps" >&2
    rm -rf "$deps"
    python3 -m venv "$deps" || fail "could not make a virtual environment; apt-get install python3-venv"
    "$deps/bin/python" -m pip install -q --disable-pip-version-check --only-binary=:all: \
        --require-hashes -r "$requirements" || fail "could not install Minari from PyPI (see pip's message above)"
    cp "$requirements" "$deps/installed.txt"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$deps/bin/python" -W ignore Scripts/test-minari.py .build/release/trajectory "$folder/datasets"
