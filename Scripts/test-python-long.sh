#!/usr/bin/env bash
# The wheel beside PyTorch (loaded before and after it) and d3rlpy, in the environment of the reference, whose Gymnasium
# is another; then the sweep by Optuna, small, on a Minari dataset, in the environment of test-python.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=$1
tests=$PWD/Python/tests/long
reference=$PWD/.deps/d3rlpy/bin/python
python=$PWD/.deps/python/bin/python
wheel=$(ls .build/wheel/*.whl)
deps=.deps/optuna

fail() { echo "test-python-long: $*" >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$reference" -m pip install -q --disable-pip-version-check --no-deps --target "$folder/beside" "$wheel"
for order in before after; do PYTHONPATH=$folder/beside "$reference" -W ignore "$tests/with_torch.py" "$order"; done
(cd "$folder" && PYTHONPATH=$folder/beside "$reference" -W ignore "$tests/with_d3rlpy.py")

if ! cmp -s "$tests/optuna.txt" "$deps/installed.txt"; then
    echo "test-python-long: installing Optuna into $deps" >&2
    rm -rf "$deps"
    "$python" -m pip install -q --disable-pip-version-check --only-binary=:all: --target "$deps" \
        --require-hashes -r "$tests/optuna.txt" || fail "could not install Optuna from PyPI (see pip's message above)"
    cp "$tests/optuna.txt" "$deps/installed.txt"
fi
"$python" -m pip install -q --disable-pip-version-check --no-deps --force-reinstall "$wheel"
data=$folder/datasets/mujoco/hopper/test-v0
"$tool" collect --env hopper --policy random --steps 4000 --output "$folder/hopper.hdf5" 2>"$folder/log"
"$tool" dataset convert "$folder/hopper.hdf5" "$data" --dataset-id mujoco/hopper/test-v0 --env Hopper-v5 2>>"$folder/log"
MINARI_DATASETS_PATH=$folder/datasets PYTHONPATH=$PWD/$deps "$python" -W ignore Python/examples/sweep.py \
    --dataset mujoco/hopper/test-v0 --storage "$folder/sweep.log" --trials 4 --processes 2 --steps 30 --episodes 1 \
    --max-steps 30
