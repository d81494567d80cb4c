#!/usr/bin/env python3
"""Computing in several processes under a real MPI, against one process.

    Scripts/test-mpi.py PROGRAM MPI-BIN [--long]

PROGRAM is the built `trajectory` with libtrajectory-mpi.so beside it, MPI-BIN the folder of mpirun. With --long also
three hosts with addresses of their own, one of which is cut off in the middle (root; Scripts/mpi-hosts.sh).
"""
import argparse
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALL = ["--recipe", "authors", "--layers", "2", "--heads", "2", "--width", "32", "--window", "4", "--batch-size", "8"]
# Differences between one process and several, in units of the largest weight, come of the order of sums alone; AdamW makes much of
# what is small in the gradients of tokens that are rare.
TOLERANCE = 2e-4


class Bench:
    def __init__(self, program, mpi, folder):
        self.program, self.mpi, self.folder = str(program), str(mpi), pathlib.Path(folder)
        self.checked = 0
        self.environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        # MPI's own files have long names, for which sockets have no room.
        self.environment["TMPDIR"] = "/tmp"
        version = subprocess.run([f"{mpi}/mpirun", "--version"], capture_output=True, text=True).stdout
        self.is_open_mpi = "Open" in version

    def check(self, holds, what):
        if not holds:
            sys.exit(f"test-mpi: {what}")
        self.checked += 1

    def mpirun(self, count):
        options = ["--oversubscribe", "--bind-to", "none"] if self.is_open_mpi else []
        return [f"{self.mpi}/mpirun", *options, "-np", str(count), self.program]

    def run(self, count, *arguments, code=0, limit=120, **variables):
        command = self.mpirun(count) if count else [self.program]
        result = subprocess.run(
            command + [str(each) for each in arguments], capture_output=True, text=True, timeout=limit,
            env=dict(self.environment, **variables))
        if code is not None and result.returncode != code:
            sys.exit(f"test-mpi: {count} processes of {arguments[0]} ended with {result.returncode}, not {code}:\n"
                     + result.stderr)
        return result

    def path(self, name):
        return self.folder / name


def weights(run):
    """The numbers of a checkpoint's newest weights."""
    file = max(run.glob("weights-*.safetensors"), key=lambda each: int(each.stem.split("-")[1]))
    data = file.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    numbers = []
    for name in sorted(header):
        # Gradients of the keys' biases are zero but for rounding, which AdamW makes as large as any other.
        if header[name]["dtype"] == "F32" and not name.endswith("key.bias"):
            begin, end = header[name]["data_offsets"]
            numbers += struct.unpack(f"<{(end - begin) // 4}f", data[start + begin:start + end])
    return numbers


def apart(one, other):
    """The largest difference, in units of the largest number."""
    assert len(one) == len(other)
    return max(abs(a - b) for a, b in zip(one, other)) / max(abs(a) for a in one)


def errors(text):
    # Open MPI ends what it says of itself with a zero byte, and then our line may come.
    lines = [line.lstrip("\0") for line in text.splitlines()]
    return [line for line in lines if line.startswith("error:")]


def training(bench, data):
    """As one process trains, so do several; a run goes on with another number of them."""
    train = ["train", "--dataset", data, *SMALL, "--workers", "1", "--json"]
    alone = json.loads(bench.run(0, *train, "--steps", 40, "--output", bench.path("alone")).stdout)
    reference = weights(bench.path("alone"))
    for count in [1, 2, 3, 4]:
        folder = bench.path(f"together-{count}")
        result = bench.run(count, *train, "--steps", 40, "--output", folder)
        together = json.loads(result.stdout)
        bench.check(together["tokens"] == alone["tokens"], f"{count} processes saw {together['tokens']} tokens")
        bench.check(abs(together["held_out_loss"] - alone["held_out_loss"]) < 1e-4, f"held-out loss of {count}")
        difference = apart(reference, weights(folder))
        bench.check(difference < TOLERANCE, f"weights of {count} processes differ by {difference}")
        print(f"{count} processes: weights differ from one process's by {difference:.1e}")

    # Cores are divided where nobody says how many workers there are.
    parts = bench.path("parts")
    begun = bench.run(2, "train", "--dataset", data, *SMALL, "--steps", 40, "--output", parts)
    each = max(1, len(os.sched_getaffinity(0)) // 2)
    bench.check(f"2 processes on 1 machine, each with a share of every batch: cpu, {each} worker" in begun.stderr,
                begun.stderr)
    refused = errors(bench.run(2, *train, "--steps", 40, "--output", parts, code=None).stderr)
    bench.check(
        refused == [f"error: cannot train in '{parts}': there is a run in it already; resume that or choose another folder "
                    "(--resume, or another --output)"], f"a run that exists is refused once: {refused}")
    again = bench.run(3, "train", "--dataset", data, "--output", parts, "--resume", "--steps", 60)
    bench.check("2 processes so far, now by 3" in again.stderr, "another number of processes is told")
    unbroken = bench.path("unbroken")
    bench.run(0, *train, "--steps", 60, "--output", unbroken)
    bench.check(json.loads((parts / "checkpoint.json").read_text())["step"] == 60, "the run went on to step 60")


def start(bench, count, folder, data, **variables):
    """A long run, which has saved something."""
    process = subprocess.Popen(
        bench.mpirun(count) + ["train", "--dataset", str(data), *SMALL, "--steps", "1000000", "--output", str(folder)],
        stderr=subprocess.PIPE, text=True, env=dict(bench.environment, **variables), start_new_session=True)
    wait_for(folder / "checkpoint.json")
    return process


def wait_for(file, limit=120):
    end = time.monotonic() + limit
    while not file.exists():
        if time.monotonic() > end:
            sys.exit(f"test-mpi: there is no {file} after {limit} s")
        time.sleep(0.1)


def workers(folder):
    """The processes that train into a folder, by their ranks' order of birth."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        # Not mpirun, which has the same words after its own.
        if len(words) > 1 and words[1] == b"train" and str(folder).encode() in words:
            found.append(int(entry.name))
    return sorted(found)


def failures(bench, data):
    """Whoever dies, all end, with a message, and the last checkpoint is whole."""
    folder = bench.path("killed")
    process = start(bench, 2, folder, data)
    os.kill(workers(folder)[-1], signal.SIGKILL)
    text = process.communicate(timeout=60)[1]
    bench.check(process.returncode != 0, "a run of which one process was killed has not failed")
    bench.check("signal 9" in text or "KILLED" in text.upper(), f"the kill is told: {text}")
    bench.check(not workers(folder), "processes are left over")
    step = json.loads((folder / "checkpoint.json").read_text())["step"]
    bench.run(0, "train", "--dataset", data, "--output", folder, "--resume", "--steps", step + 1)

    folder = bench.path("stopped")
    process = start(bench, 2, folder, data)
    os.kill(workers(folder)[-1], signal.SIGTERM)
    text = process.communicate(timeout=60)[1]
    stopped = re.search(r"stopped after step (\d+)", text)
    kept = json.loads((folder / "checkpoint.json").read_text())["step"]
    # Who was told to stop says so if it talks to people.
    bench.check(not stopped or int(stopped.group(1)) == kept, "the step that is saved is the one that is told")
    bench.check(not workers(folder), "processes are left over")

    folder = bench.path("signalled")
    process = start(bench, 2, folder, data)
    for each in workers(folder):
        os.kill(each, signal.SIGTERM)
    text = process.communicate(timeout=60)[1]
    kept = json.loads((folder / "checkpoint.json").read_text())["step"]
    bench.check(process.returncode != 0 and f"stopped after step {kept} " in text, f"a stop is told: {text}")

    refused = bench.run(2, "environments", code=None)
    bench.check(refused.returncode == 64 and "runs in one process" in refused.stderr, "what cannot be divided is refused")
    missing = bench.run(2, "environments", code=None, TRAJECTORY_MPI_BRIDGE="/nowhere/libtrajectory-mpi.so")
    bench.check(missing.returncode != 0 and "/nowhere/libtrajectory-mpi.so" in missing.stderr, "a missing bridge is told")
    wrong = bench.run(2, "train", "--steps", "0", code=None)
    bench.check(wrong.returncode == 64 and wrong.stderr.count("Usage:") == 1, "wrong usage is told once")


def division(bench, data):
    """Collecting, evaluating and predicting give the same in one process and in several."""
    files = []
    for count in [0, 2, 3]:
        file = bench.path(f"collected-{count}.hdf5")
        bench.run(count, "collect", "--env", "hopper", "--policy", "random", "--steps", 1500, "--output", file)
        bench.run(0, "dataset", "convert", file, file.with_suffix(".npz"))
        files.append(file.with_suffix(".npz").read_bytes())
    bench.check(files[1] == files[0] and files[2] == files[0], "collected data do not depend on the processes")

    model = ["--checkpoint", bench.path("alone"), "--horizon", 2, "--beam-width", 4, "--maximum-steps", 6]
    for kind in [["--policy", "random"], model]:
        reports = []
        for count in [0, 2, 3]:
            report = json.loads(bench.run(count, "evaluate", "--env", "hopper", *kind, "--episodes", 5, "--json").stdout)
            # What depends on the clock, and how it is shown.
            reports.append({key: report[key] for key in ["seeds", "returns", "lengths", "mean_return", "plans"]})
        bench.check(reports[1] == reports[0] and reports[2] == reports[0], f"returns of {kind[0]} differ")

    predictions = []
    for count in [0, 2]:
        result = json.loads(bench.run(
            count, "predict", "--checkpoint", bench.path("alone"), "--dataset", data, "--horizon", 4, "--episodes", 6,
            "--samples", 3, "--json").stdout)
        predictions.append([result["methods"], result["oracle"]])
    bench.check(predictions[1] == predictions[0], "predictions differ")


def hosts(bench, data):
    """Three hosts; then one of them is cut off."""
    script = ROOT / "Scripts/mpi-hosts.sh"
    agent = bench.path("agent.sh")
    agent.write_text(f'#!/bin/sh\nexec "{script}" run "$@"\n')
    agent.chmod(0o755)
    subprocess.run([script, "down"], check=True)
    subprocess.run([script, "up"], check=True)
    network = "10.77.0.0/24"
    launch = [
        script, "run", "1", f"{bench.mpi}/mpirun", "--prtemca", "plm_ssh_agent", agent, "--bind-to", "none",
        "-x", "LD_LIBRARY_PATH", "-x", "TRAJECTORY_MPI_TIMEOUT", "--mca", "btl", "tcp,self",
        "--mca", "btl_tcp_if_include", network, "--prtemca", "prte_if_include", network,
        "-H", "10.77.0.1:1,10.77.0.2:1,10.77.0.3:1", "-np", "3", bench.program]
    launch = [str(each) for each in launch]
    try:
        folder = bench.path("hosts")
        train = ["train", "--dataset", str(data), *SMALL, "--workers", "1"]
        result = subprocess.run(
            launch + train + ["--steps", "40", "--output", str(folder)], capture_output=True, text=True, timeout=120,
            env=bench.environment)
        bench.check(result.returncode == 0 and "3 processes on 3 machines" in result.stderr, result.stderr)
        difference = apart(weights(bench.path("alone")), weights(folder))
        bench.check(difference < TOLERANCE, f"weights of three hosts differ by {difference}")

        folder = bench.path("cut")
        log = bench.path("cut.log")
        with log.open("w") as stderr:
            process = subprocess.Popen(
                launch + train + ["--steps", "1000000", "--output", str(folder)], stderr=stderr,
                env=dict(bench.environment, TRAJECTORY_MPI_TIMEOUT="5"), start_new_session=True)
        wait_for(folder / "checkpoint.json")
        subprocess.run([script, "cut", "3"], check=True)
        end = time.monotonic() + 60
        while workers(folder) and time.monotonic() < end:
            time.sleep(0.2)
        bench.check(not workers(folder), "processes are left over a minute after one was cut off")
        # mpirun itself waits for the host that it no longer reaches.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
        text = log.read_text()
        bench.check(any("has waited 5 s for the others" in line for line in errors(text)), f"the cut is told: {text}")
        step = json.loads((folder / "checkpoint.json").read_text())["step"]
        bench.run(0, "train", "--dataset", data, "--output", folder, "--resume", "--steps", step + 1)
    finally:
        subprocess.run([script, "down"], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("mpi", type=pathlib.Path)
    parser.add_argument("--long", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trajectory-mpi-") as folder:
        bench = Bench(given.program.resolve(), given.mpi.resolve(), folder)
        data = bench.path("hopper.hdf5")
        bench.run(0, "collect", "--env", "hopper", "--policy", "random", "--steps", 3000, "--output", data)
        training(bench, data)
        division(bench, data)
        failures(bench, data)
        if given.long:
            hosts(bench, data)
    print(f"test-mpi: {bench.checked} checks hold")


main()
