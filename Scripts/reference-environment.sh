#!/usr/bin/env bash
# Installs d3rlpy, the outside reference for offline RL, into .deps/d3rlpy.
set -euo pipefail
cd "$(dirname "$0")/.."
# gym, which d3rlpy asks for beside gymnasium, is on PyPI as source only.
Scripts/virtual-environment.sh .deps/d3rlpy Experiments/python/requirements.txt d3rlpy --no-binary=gym
