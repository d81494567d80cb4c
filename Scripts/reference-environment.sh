#!/usr/bin/env bash
# Installs d3rlpy, the outside reference for offline RL, from PyPI into .deps/d3rlpy (pinned by version and SHA-256, with
# what it needs). Does nothing, quickly, when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=.deps/d3rlpy
requirements=Experiments/python/requirements.txt

fail() { echo "reference-environment: $*" >&2; exit 1; }

cmp -s "$requirements" "$deps/installed.txt" && exit
echo "reference-environment: installing d3rlpy into $deps" >&2
rm -rf "$deps"
python3 -m venv "$deps" || fail "could not make a virtual environment; apt-get install python3-venv"
# gym, which d3rlpy asks for beside gymnasium, is on PyPI as source only.
"$deps/bin/python" -m pip install -q --disable-pip-version-check --only-binary=:all: --no-binary=gym \
    --require-hashes -r "$requirements" || fail "could not install d3rlpy from PyPI (see pip's message above)"
cp "$requirements" "$deps/installed.txt"
