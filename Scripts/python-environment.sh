#!/usr/bin/env bash
# Installs what the Python package is built and tested with from PyPI into .deps/python (pinned by version and SHA-256).
# Does nothing, quickly, when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=.deps/python
requirements=Python/tests/requirements.txt

fail() { echo "python-environment: $*" >&2; exit 1; }

cmp -s "$requirements" "$deps/installed.txt" && exit
echo "python-environment: installing Gymnasium and what the tests need into $deps" >&2
rm -rf "$deps"
python3 -m venv "$deps" || fail "could not make a virtual environment; apt-get install python3-venv"
"$deps/bin/python" -m pip install -q --disable-pip-version-check --only-binary=:all: \
    --require-hashes -r "$requirements" || fail "could not install from PyPI (see pip's message above)"
cp "$requirements" "$deps/installed.txt"
