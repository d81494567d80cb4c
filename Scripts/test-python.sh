#!/usr/bin/env bash
# Installs the wheel beside Gymnasium and tests it there: types, style, and Python/tests.
set -euo pipefail
cd "$(dirname "$0")/.."
export TRAJECTORY=$PWD/$(realpath --relative-to=. "$1")
bin=$PWD/.deps/python/bin

# From another folder, so that what is imported is what the wheel installed.
"$bin/python" -m pip install -q --disable-pip-version-check --no-deps --force-reinstall .build/wheel/*.whl
cd Python
"$bin/ruff" check -q .
"$bin/ruff" format -q --check .
"$bin/mypy" --strict trajectory_transformer
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r tests "$folder/"
"$bin/python" -W error::DeprecationWarning:trajectory_transformer -m pytest -q -p no:cacheprovider \
    -c /dev/null --rootdir "$folder" --basetemp "$folder/tmp" "$folder/tests" "${@:2}"
