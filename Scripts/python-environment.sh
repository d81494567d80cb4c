#!/usr/bin/env bash
# Installs what the Python package is built and tested with into .deps/python.
set -euo pipefail
cd "$(dirname "$0")/.."
Scripts/virtual-environment.sh .deps/python Python/tests/requirements.txt "Gymnasium and what the tests need"
