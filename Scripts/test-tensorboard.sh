#!/usr/bin/env bash
# TensorBoard's own package, installed from PyPI into .deps/tensorboard (pinned by version and SHA-256, with what it
# needs) the first time, reads what the built tool writes.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=.deps/tensorboard
Scripts/virtual-environment.sh "$deps" Scripts/tensorboard-requirements.txt TensorBoard
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$deps/bin/python" -W ignore Scripts/test-tensorboard.py .build/release/trajectory "$folder"
