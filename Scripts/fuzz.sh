#!/usr/bin/env bash
# Feeds every parser with mutations of small files, guided by coverage (libFuzzer).
#
#   Scripts/fuzz.sh [RUNS [TARGET...]]     100,000 for each of all targets if not given
#
# What crashes or hangs is left in .build/fuzz/found; make it small (-minimize_crash=1), mend the
# fault, and keep the file under Tests/FuzzTargetsTests/Fixtures/TARGET, where `make test` feeds it; of the policy
# server's (messagepack, openpi, inference) keep a test in Server/Tests.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-100000}
shift || true
export PKG_CONFIG_PATH=$PWD/.deps/pkgconfig:${PKG_CONFIG_PATH:-}
export SWIFT_BACKTRACE=enable=no
build=$PWD/.build/fuzz
# In a folder of its own: everything is instrumented.
swift build -c release --scratch-path "$build/build" --product fuzz \
    -Xswiftc -sanitize=fuzzer -Xswiftc -DFUZZING -Xlinker -rpath -Xlinker "$PWD/.deps/mujoco/lib"
fuzz=$build/build/release/fuzz
# The policy server's, a package of its own.
swift build -c release --package-path Server --scratch-path "$build/server" --product fuzz-server \
    -Xswiftc -sanitize=fuzzer -Xswiftc -DFUZZING
fuzz_server=$build/server/release/fuzz-server
targets=("$@")
((${#targets[@]})) || targets=(safetensors tokens checkpoint weights policy critic dynamics settings experiment maze torch pickle npz live hdf5 messagepack openpi inference)
mkdir -p "$build/found"
# Anew each time: what the program writes may have changed since.
rm -rf "$build/seeds"
FUZZ_TARGET=maze "$fuzz" --seeds "$build/seeds"
FUZZ_TARGET=openpi "$fuzz_server" --seeds "$build/seeds"
failed=()
for target in "${targets[@]}"; do
    corpus=$build/corpus/$target
    mkdir -p "$corpus"
    options=(-runs="$runs" -seed=1 -max_len=32768 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0)
    [[ -f Tests/Fuzz/Dictionaries/$target.txt ]] && options+=(-dict="Tests/Fuzz/Dictionaries/$target.txt")
    known=Tests/FuzzTargetsTests/Fixtures/$target
    [[ -d $known ]] || known=$corpus
    echo "fuzz: $target, $runs runs" >&2
    if [[ $target == hdf5 ]]; then
        # The C library does crash and hang: here in children that libFuzzer starts anew, and what it found is then
        # read as the program reads, by a process of its own, which must leave the one that asked alive.
        FUZZ_TARGET=$target FUZZ_HDF5=in-process nice "$fuzz" "${options[@]}" -timeout=5 -fork=1 -ignore_crashes=1 \
            -ignore_timeouts=1 -ignore_ooms=1 -artifact_prefix="$build/found/$target-" "$corpus" "$build/seeds/$target" \
            "$known" >"$build/$target.log" 2>&1 || true
        grep -E "^#[0-9]+: " "$build/$target.log" | tail -1 >&2
        shopt -s nullglob
        found=("$build/found/$target-"*)
        echo "fuzz: ${#found[@]} files crashed or stopped the library; each is now read by another process" >&2
        ((${#found[@]} == 0)) || FUZZ_TARGET=$target nice "$fuzz" -timeout=60 "${found[@]}" >"$build/$target-again.log" 2>&1 ||
            { tail -5 "$build/$target-again.log" >&2; failed+=("$target"); }
        continue
    fi
    program=$fuzz
    [[ $target =~ ^(messagepack|openpi|inference)$ ]] && program=$fuzz_server
    if FUZZ_TARGET=$target nice "$program" "${options[@]}" -artifact_prefix="$build/found/$target-" \
        "$corpus" "$build/seeds/$target" "$known" >"$build/$target.log" 2>&1; then
        grep -E "stat::number_of_executed_units|stat::average_exec_per_sec" "$build/$target.log" >&2 || true
    else
        tail -5 "$build/$target.log" >&2
        failed+=("$target")
    fi
done
((${#failed[@]} == 0)) || { echo "fuzz: faults in ${failed[*]}; see $build/found" >&2; exit 1; }
