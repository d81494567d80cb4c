#!/usr/bin/env python3
"""Training from a token file that is larger than the memory it may use, on a disk that is slow.

    Benchmarks/slow-disk.py PROGRAM [--copies 100] [--memory-mb 512] [--rate-mb 100] [--iops 120] [--steps 300] [--json FILE]

Makes a token file of a million transitions of HalfCheetah so many times over, then trains in each order of windows,
without limits and in a control group (version 1, root) with so much memory for the process and its part of the page
cache, and a disk that reads so much and so often a second: by default a hard disk's. Prints tokens a second, and bytes
and operations read a step. Nothing else must run.
"""
import argparse
import ctypes
import json
import os
import pathlib
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

GROUPS = pathlib.Path("/sys/fs/cgroup")


class Limits:
    """A control group with little memory and a slow disk, for the processes that enter it."""

    def __init__(self, given, folder):
        self.memory = GROUPS / "memory/trajectory-slow-disk"
        self.disk = GROUPS / "blkio/trajectory-slow-disk"
        device = os.stat(folder).st_dev
        self.device = f"{os.major(device)}:{os.minor(device)}"
        self.given = given

    def __enter__(self):
        try:
            for group in (self.memory, self.disk):
                group.mkdir(exist_ok=True)
            (self.memory / "memory.limit_in_bytes").write_text(str(self.given.memory_mb << 20))
            throttle = "blkio.throttle.read_{}_device"
            (self.disk / throttle.format("bps")).write_text(f"{self.device} {self.given.rate_mb << 20}")
            (self.disk / throttle.format("iops")).write_text(f"{self.device} {self.given.iops}")
        except OSError as error:
            sys.exit(f"slow-disk: control groups cannot be had here ({error})")
        return self

    def __exit__(self, *_):
        for group in (self.memory, self.disk):
            # A group is gone once its last process is.
            for _ in range(50):
                try:
                    group.rmdir()
                    break
                except OSError:
                    time.sleep(0.1)

    def enter(self):
        for group in (self.memory, self.disk):
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def read(self):
        """Bytes and operations read so far."""
        numbers = []
        for name in ("io_service_bytes", "io_serviced"):
            lines = (self.disk / f"blkio.throttle.{name}").read_text().splitlines()
            numbers.append(sum(int(line.split()[2]) for line in lines if line.startswith(f"{self.device} Read")))
        return numbers


def train(given, tokens, order, output, limits=None):
    """Tokens a second, the median of the reports but the first two; and what was read."""
    # What was written or an earlier run left in the page cache would be read from there.
    with open(tokens, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    command = [
        given.program, "train", "--dataset", tokens, "--recipe", "authors", "--steps", str(given.steps), "--window-order",
        order, "--output", output, "--json", *(["--layers", "1", "--heads", "1", "--width", "16"] if given.small else [])]
    before = limits.read() if limits else None
    result = subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, preexec_fn=limits.enter if limits else None)
    if result.returncode:
        sys.exit(f"slow-disk: {result.stderr}")
    read = [now - then for now, then in zip(limits.read(), before)] if limits else None
    lines = pathlib.Path(output, "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("tokens_per_second")
    rates = [float(line.split(",")[column]) for line in lines[1:]]
    return {"tokens_per_second": statistics.median(rates[2:] or rates), "read": read}


def main():
    # So that what was made is removed whoever ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("slow-disk: stopped"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--copies", type=int, default=100)
    parser.add_argument("--transitions", type=int, default=1_000_000)
    parser.add_argument("--memory-mb", type=int, default=512)
    parser.add_argument("--rate-mb", type=int, default=100)
    parser.add_argument("--iops", type=int, default=120)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--small", action="store_true", help="a model of which steps take little time")
    parser.add_argument("--folder", type=pathlib.Path, help="where files are made; removed afterwards")
    parser.add_argument("--json", type=pathlib.Path)
    given = parser.parse_args()
    given.program = given.program.resolve()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        folder = pathlib.Path(folder)
        data, tokens = folder / "data.hdf5", folder / "data.tokens"

        def run(*command):
            subprocess.run([str(each) for each in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        run(given.program, "collect", "--env", "halfcheetah", "--policy", "random", "--steps", given.transitions,
            "--output", data)
        many = folder / "many.tokens"
        run(given.program, "dataset", "tokenize", data, "--output", tokens)
        repeat(tokens, many, given.copies)
        print(f"{given.transitions * given.copies:,} transitions, {many.stat().st_size / 1e6:,.0f} MB; "
              f"{given.memory_mb} MB of memory, a disk of {given.rate_mb} MB/s and {given.iops} reads/s", flush=True)
        results = {}
        for order in ("shuffled", "blocks"):
            results[order] = {"free": train(given, many, order, folder / f"{order}-free")}
            with Limits(given, folder) as limits:
                results[order]["limited"] = train(given, many, order, folder / f"{order}-limited", limits)
            free, limited = results[order]["free"], results[order]["limited"]
            size, count = limited["read"]
            print(f"{order}: {free['tokens_per_second']:,.0f} tokens/s without limits, "
                  f"{limited['tokens_per_second']:,.0f} within ({size / 1e6:,.0f} MB in {count:,} reads)", flush=True)
        if given.json:
            given.json.write_text(json.dumps(results, indent=1) + "\n")


CHECKSUM = """
#include <stdint.h>
#include <stddef.h>
uint64_t add(uint64_t value, const uint64_t *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        value = (value ^ words[i]) * 0xD1342543DE82EF95ull;
        value ^= value >> 32;
    }
    return value;
}
"""
START = 0x9E3779B97F4A7C15


def repeat(source, target, copies):
    """A token file with the tokens and episodes of another so many times (Sources/Tokenization/TokenFile.swift)."""
    library = source.with_suffix(".so")
    code = source.with_suffix(".c")
    code.write_text(CHECKSUM)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, code], check=True)
    add = ctypes.CDLL(str(library)).add
    add.restype, add.argtypes = ctypes.c_uint64, [ctypes.c_uint64, ctypes.c_char_p, ctypes.c_size_t]

    data = source.read_bytes()
    at = struct.unpack_from("<Q", data, 32)[0]
    description = json.loads(data[at:].rstrip(b"\0"))
    rows, episodes, bins = (description[key] for key in ("rowCount", "episodeCount", "binCount"))
    width = description["layout"]["observationDimension"] + description["layout"]["actionDimension"] + 2

    def padded(part):
        return part + bytes(-len(part) % 8)

    tokens = data[64:64 + rows * width]
    edges_at = 64 + len(padded(tokens))
    edges = data[edges_at:edges_at + 8 * (bins + 1) * width]
    starts_at = edges_at + len(edges)
    starts = struct.unpack_from(f"<{episodes + 1}Q", data, starts_at)
    endings = data[starts_at + 8 * (episodes + 1):][:episodes]
    description |= {"rowCount": rows * copies, "episodeCount": episodes * copies}
    all_starts = [rows * copy + start for copy in range(copies) for start in starts[:-1]] + [rows * copies]
    tail = edges + struct.pack(f"<{len(all_starts)}Q", *all_starts) + padded(endings * copies)
    text = padded(json.dumps(description).encode())
    # Copies of whole words, so that they can be added up one by one.
    assert bins < 256 and len(tokens) % 8 == 0
    checksum = START
    for _ in range(copies):
        checksum = add(checksum, tokens, len(tokens) // 8)
    checksum = add(checksum, tail + text, len(tail + text) // 8)
    size = 64 + copies * len(tokens) + len(tail) + len(text)
    head = b"\x93TRJTOK\n" + struct.pack("<IIQQQQ", 1, 0, size, 64, size - len(text), checksum)
    head += struct.pack("<QQ", add(START, head, 6), 0)
    with target.open("wb") as file:
        file.write(head)
        for _ in range(copies):
            file.write(tokens)
        file.write(tail + text)


main()
