#!/usr/bin/env bash
# Fetches NVIDIA's run-time compiler (NVRTC) from its PyPI wheel, pinned by version and SHA-256, into
# .deps/nvrtc, so that kernels are compiled where there is no card and no toolkit. Where it cannot be
# had it says so and succeeds: what needs it is skipped then.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=$PWD/.deps
version=13.0.88

skip() { echo "bootstrap-nvrtc: $*; kernels are not compiled for a card here" >&2; exit 0; }

case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=manylinux_2_12_x86_64 sha=ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575 ;;
    *) skip "no NVRTC wheel is pinned for $(uname -s) on $(uname -m)" ;;
esac

stamp="nvrtc $version $sha"
[[ "$(cat "$deps/nvrtc/stamp" 2>/dev/null)" == "$stamp" ]] && exit 0
python3 -m pip --version >/dev/null 2>&1 || skip "python3 with pip is needed to fetch NVRTC"

echo "bootstrap-nvrtc: fetching NVRTC $version into .deps/" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "nvidia-cuda-nvrtc==$version --hash=sha256:$sha" >"$work/requirements.txt"
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: \
    --platform "$platform" --require-hashes -r "$work/requirements.txt" -d "$work" ||
    skip "could not fetch nvidia-cuda-nvrtc==$version from PyPI (see pip's message above)"
python3 -m zipfile -e "$work"/*.whl "$work/unpacked"
rm -rf "$deps/nvrtc"
mkdir -p "$deps/nvrtc"
cp "$work"/unpacked/nvidia/cu13/lib/libnvrtc.so.* "$work"/unpacked/nvidia/cu13/lib/libnvrtc-builtins.so.* "$deps/nvrtc/"
echo "$stamp" >"$deps/nvrtc/stamp"
