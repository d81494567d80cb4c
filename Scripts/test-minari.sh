#!/usr/bin/env bash
# Checks both directions between the built tool and Minari's own package, which is installed from PyPI
# into .deps/minari (pinned by version and SHA-256, with what it needs) the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=.deps/minari
Scripts/virtual-environment.sh "$deps" Scripts/minari-requirements.txt Minari
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$deps/bin/python" -W ignore Scripts/test-minari.py .build/release/trajectory "$folder/datasets"
