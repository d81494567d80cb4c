#!/usr/bin/env bash
# The checks of trajectory-device on the emulated driver: the program that runs on a machine with a card,
# without one. --long: once more with warps in reverse order, and with the address sanitizer in the kernels.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product trajectory-device
swift build -c release --product EmulatedCUDA
export TRAJECTORY_CUDA_DRIVER=$PWD/.build/release/libEmulatedCUDA.so
check() {
    .build/release/trajectory-device check --quick --golden Tests/TransformerTests/Fixtures Tests/PlanningTests/Fixtures
}
check
if [[ "${1:-}" == --long ]]; then
    EMULATED_CUDA_REVERSED=1 check
    compiler=$(mktemp)
    trap 'rm -f "$compiler"' EXIT
    printf '#!/bin/sh\nexec clang++ -fsanitize=address -shared-libasan "$@"\n' >"$compiler"
    chmod +x "$compiler"
    runtime=$(clang++ -print-file-name=libclang_rt.asan-x86_64.so)
    [[ -e "$runtime" ]] || runtime=$(clang++ -print-file-name=libclang_rt.asan.so)
    ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$runtime EMULATED_CUDA_COMPILER=$compiler check
fi
