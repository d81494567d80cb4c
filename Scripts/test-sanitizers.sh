#!/usr/bin/env bash
# Runs tests under sanitizers, each in a build folder of its own (.build/sanitize-*).
#
#   Scripts/test-sanitizers.sh [address|thread|undefined]...     all three if not given
#
# The thread sanitizer does not see the futex behind Swift's Mutex: what it reports of memory that a
# Mutex guards is listed in thread-sanitizer.txt. Undefined behaviour is looked for in the C kernels
# alone, on every instruction set; swiftc has no such sanitizer on Linux, and Swift traps by itself.
set -euo pipefail
cd "$(dirname "$0")/.."
export PKG_CONFIG_PATH=$PWD/.deps/pkgconfig:${PKG_CONFIG_PATH:-}
kinds=("$@")
((${#kinds[@]})) || kinds=(address thread undefined)
flags=(-c release -Xlinker -rpath -Xlinker "$PWD/.deps/mujoco/lib")
# All that holds pointers or threads. The others are Swift values alone, and learn for minutes.
memory='^(Tensors|Layers|Transformer|TransformerCPU|Tokenization|HDF5|Safetensors|Datasets|Training|Planning|MuJoCo|Bounds|PlainYAML|FuzzTargets|Policies|Processes|Environments)Tests\.'
threads='^(Tensors|Layers|Transformer|TransformerCPU|Training|Planning|HDF5|Agents|Processes)Tests\.'
kernels='^(Layers|Transformer|TransformerCPU|Planning)Tests\.'

run() { # kind, filter, further flags
    nice swift test --disable-xctest "${flags[@]}" --scratch-path ".build/sanitize-$1" --filter "$2" "${@:3}"
}
# The tests of the package Server, whose product alone is built: they need no sockets.
server() { # kind
    local place=("${flags[@]}" --package-path Server --scratch-path ".build/sanitize-server-$1" "--sanitize=$1")
    nice swift build "${place[@]}" --product trajectory-serverPackageTests
    nice swift test "${place[@]}" --skip-build --disable-xctest
}
for kind in "${kinds[@]}"; do
    echo "test-sanitizers: $kind" >&2
    case $kind in
        # Memory of the run time is never given back, which is no leak of ours. A program with a limit
        # of address space, as the reader of HDF5 has, cannot start: the sanitizer reserves terabytes.
        address)
            export ASAN_OPTIONS=detect_leaks=0
            run address "$memory" --sanitize=address \
                --skip 'a file that ends or stops the C library' --skip 'what another process reads'
            server address
            ;;
        # A test that must end within a time does not end in it here.
        thread)
            export TSAN_OPTIONS="suppressions=$PWD/Scripts/thread-sanitizer.txt halt_on_error=0 exitcode=66"
            TRAJECTORY_EMULATED_CARD=none run thread "$threads" --sanitize=thread --skip 'planning itself takes'
            server thread
            ;;
        undefined)
            for set in baseline avx2 avx512; do
                TRAJECTORY_INSTRUCTION_SET=$set run undefined "$kernels" \
                    -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=all --skip 'planning itself takes'
            done
            ;;
        *) echo "test-sanitizers: there is no sanitizer '$kind'; give address, thread or undefined" >&2; exit 64 ;;
    esac
done
