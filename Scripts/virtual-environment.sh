#!/usr/bin/env bash
# Installs a Python environment from PyPI, pinned by version and SHA-256. Does nothing, quickly, when it is there.
#
#   Scripts/virtual-environment.sh FOLDER REQUIREMENTS WHAT [PIP OPTION...]
set -euo pipefail
deps=$1 requirements=$2 what=$3

fail() { echo "virtual-environment: $*" >&2; exit 1; }

cmp -s "$requirements" "$deps/installed.txt" && exit
echo "virtual-environment: installing $what into $deps" >&2
rm -rf "$deps"
python3 -m venv "$deps" || fail "could not make a virtual environment; apt-get install python3-venv"
"$deps/bin/python" -m pip install -q --disable-pip-version-check --only-binary=:all: "${@:4}" \
    --require-hashes -r "$requirements" || fail "could not install $what from PyPI (see pip's message above)"
cp "$requirements" "$deps/installed.txt"
