#!/usr/bin/env bash
# Checks the built policy server against openpi-client, which is installed from PyPI into .deps/openpi (pinned by
# version and SHA-256, with what it and Gymnasium need) the first time.
#
#   Scripts/test-server.sh [SCRIPT [OPTION...]]    another script of this folder in the same environment
set -euo pipefail
cd "$(dirname "$0")/.."
Scripts/virtual-environment.sh .deps/openpi Scripts/server-requirements.txt openpi-client
script=${1:-test-server.py}
.deps/openpi/bin/python -W ignore::DeprecationWarning "Scripts/$script" .build/release/trajectory "${@:2}"
