#!/usr/bin/env bash
# Checks the built tool against a Python package, which is installed from PyPI into .deps/NAME (pinned by version and
# SHA-256, with what it needs) the first time.
#
#   Scripts/test-against.sh minari|tensorboard
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1
Scripts/virtual-environment.sh ".deps/$name" "Scripts/$name-requirements.txt" "$name"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
".deps/$name/bin/python" -W ignore "Scripts/test-$name.py" .build/release/trajectory "$folder"
