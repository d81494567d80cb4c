#!/usr/bin/env bash
# Compiles the bridge to MPI into a folder, as a rule beside the program that opens it.
#
#   Scripts/mpi.sh FOLDER        by $MPICC, the mpicc on the PATH, or the one of `make bootstrap-mpi`
#   Scripts/mpi.sh --bin         the folder of that mpicc, where its mpirun is, too
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "mpi: $*" >&2; exit 1; }

compiler=$(command -v "${MPICC:-mpicc}" || true)
[[ -n $compiler || ! -x .deps/mpi/bin/mpicc ]] || compiler=$PWD/.deps/mpi/bin/mpicc
[[ -n $compiler ]] || fail "there is no mpicc; load the machine's MPI, or run make bootstrap-mpi"
if [[ ${1:-} == --bin ]]; then
    dirname "$compiler"
    exit
fi
[[ -d ${1:-} ]] || fail "'${1:-}' is no folder"
target=$1/libtrajectory-mpi.so
# Moved into place, for a program may have the old one open.
"$compiler" -std=c11 -O2 -Wall -Wextra -Werror -fPIC -shared -o "$target.new" Sources/MPI/Bridge/bridge.c
mv "$target.new" "$target"
echo "$target"
