#!/usr/bin/env python3
"""Training in several processes: tokens a second of one process and of two, what the exchange takes, and a model of
more machines made of these.

    Benchmarks/processes.py PROGRAM MPI-BIN [--rounds 3] [--steps 300] [--json FILE]
    Benchmarks/processes.py --model STEP-MS TOKENS LATENCY-US

The first measures and prints the model, too; the second prints the model alone, of a step that takes so long on one
machine, has so many tokens, and of a latency. PROGRAM is the built `trajectory` with libtrajectory-mpi.so beside it.
Nothing else must run.
"""
import argparse
import ctypes
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# Of the paper's model for Hopper.
PARAMETERS = 1_225_000
NETWORKS = {"1 Gbit/s": 0.117e9, "10 Gbit/s": 1.17e9, "100 Gbit/s": 11.7e9}


def exchange_times(library, count, rounds=30):
    """In a process that mpirun started: the median time of a sum of so many floats, in seconds, and of a number."""
    bridge = ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    rank, size, done = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    bridge.trajectory_mpi_start(ctypes.byref(rank), ctypes.byref(size))

    def wait():
        done.value = 0
        while not done.value:
            bridge.trajectory_mpi_test(ctypes.byref(done))

    numbers = (ctypes.c_float * count)()
    word, words = (ctypes.c_uint64 * 1)(), (ctypes.c_uint64 * size.value)()
    times = {"sum": [], "word": []}
    for _ in range(rounds):
        for kind in times:
            bridge.trajectory_mpi_exchange(word, words)
            wait()
            start = time.perf_counter()
            if kind == "sum":
                bridge.trajectory_mpi_sum(numbers, count)
            else:
                bridge.trajectory_mpi_exchange(word, words)
            wait()
            times[kind].append(time.perf_counter() - start)
    if rank.value == 0:
        print(json.dumps({kind: statistics.median(each) for kind, each in times.items()}))
    bridge.trajectory_mpi_finish()


def measure(given):
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    mpirun = [str(given.mpi / "mpirun"), "--bind-to", "none", "-np", "2"]
    program = str(given.program.resolve())

    def run(command):
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/hopper.hdf5"
        run([program, "collect", "--env", "hopper", "--policy", "random", "--steps", "20000", "--output", data])
        rates = {1: [], 2: []}
        for index in range(given.rounds):
            for count in rates:
                output = f"{folder}/{count}-{index}"
                train = [
                    program, "train", "--dataset", data, "--recipe", "authors", "--steps", str(given.steps), "--seed", "1",
                    "--output", output, "--json"]
                run(train if count == 1 else mpirun + train)
                lines = pathlib.Path(output, "metrics.csv").read_text().splitlines()
                column = lines[0].split(",").index("tokens_per_second")
                # Reports between the first, which has the start in it, and the last, which has a measurement.
                rows = [line.split(",") for line in lines[1:]]
                rates[count].append(statistics.median(float(row[column]) for row in rows[1:-1]))
        library = str(pathlib.Path(program).parent / "libtrajectory-mpi.so")
        times = json.loads(run(mpirun + [sys.executable, __file__, "--exchange", library]))
    tokens = 32 * 159
    one, two = (statistics.median(rates[count]) for count in (1, 2))
    print(f"one process, all cores: {one:,.0f} tokens/s; two processes that divide them: {two:,.0f} ({two / one:.3f})")
    print(f"a sum of {PARAMETERS:,} floats: {1e3 * times['sum']:.2f} ms; a number: {1e6 * times['word']:.0f} us")
    if given.json:
        given.json.write_text(json.dumps({"rates": rates, "exchange": times}, indent=1) + "\n")
    print_model(1e3 * tokens / one, tokens, 1e6 * times["word"])


def print_model(step_ms, tokens, latency_us):
    """Tokens a second of 1, 8 and 64 machines like this one, and the share of the time in which they compute."""
    def exchange(hosts, rate):
        # A ring: every byte but one share is sent twice, in 2 (n - 1) turns; then the one number, in log2 n.
        turns = 2 * (hosts - 1)
        return turns / hosts * 4 * PARAMETERS / rate + (turns + hosts.bit_length()) * latency_us * 1e-6

    print(f"\na model, of a step of {step_ms:.0f} ms with {tokens:,} tokens on one machine, a latency of {latency_us:.0f} us "
          "and the networks' rates:\n")
    print("| machines | batch | " + " | ".join(NETWORKS) + " |")
    print("|---|---|" + "---|" * len(NETWORKS))
    for hosts in (1, 8, 64):
        for growing in (False, True):
            if hosts == 1 and growing:
                continue
            batch = 256 * hosts if growing else 256
            # Time of a machine's share of the batch; the step that was measured has 32 windows.
            seconds = step_ms * 1e-3 * batch / 32 / hosts
            cells = []
            for rate in NETWORKS.values():
                whole = seconds + (exchange(hosts, rate) if hosts > 1 else 0)
                cells.append(f"{tokens * batch / 32 / whole / 1e3:,.0f} k ({100 * seconds / whole:.0f} %)")
            print(f"| {hosts} | {batch} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path, nargs="?")
    parser.add_argument("mpi", type=pathlib.Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--model", nargs=3, type=float, metavar=("STEP-MS", "TOKENS", "LATENCY-US"))
    parser.add_argument("--exchange", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.exchange:
        exchange_times(given.exchange, PARAMETERS)
    elif given.model:
        print_model(given.model[0], int(given.model[1]), given.model[2])
    elif given.program and given.mpi:
        measure(given)
    else:
        parser.error("give PROGRAM and MPI-BIN, or --model")


main()
