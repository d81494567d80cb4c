#!/usr/bin/env python3
"""Half an hour of training beside closed-loop planning, watched: memory, descriptors and speed stay flat.

    Scripts/soak.py TRAJECTORY [--minutes 30] [--folder runs/soak]

Both are started as a user starts them. Every few seconds resident memory, descriptors and threads are read from /proc,
and how far each is from what it prints. The second fifth of the time is held against the last: by then caches are full
and buffers allocated. Prints a line for each process and fails where one is not flat.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time

# Resident memory may be larger at the end by this share and this many bytes, speed smaller by this share.
MEMORY_SHARE, MEMORY_BYTES, SPEED_SHARE = 0.05, 8 << 20, 0.25
SECONDS_BETWEEN_SAMPLES = 5


class Watched:
    """A process, what it uses and how far it is."""

    def __init__(self, name, command, progress):
        self.name, self.progress, self.done, self.samples = name, re.compile(progress), 0.0, []
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.last = ""
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stderr:
            for part in line.split("\r"):
                self.last = part.strip() or self.last
                if found := self.progress.search(part):
                    numbers = [float(number) for number in found.groups()]
                    self.done = numbers[0] * 1e6 + numbers[1] if len(numbers) == 2 else numbers[0]

    def sample(self, now):
        place = pathlib.Path(f"/proc/{self.process.pid}")
        try:
            status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
            memory = int(status["VmRSS"].split()[0]) * 1024
            self.samples.append((now, memory, len(os.listdir(place / "fd")), int(status["Threads"]), self.done))
        except (OSError, KeyError):
            pass

    def part(self, low, high):
        return self.samples[int(low * len(self.samples)):max(1, int(high * len(self.samples)))]

    def verdict(self):
        """What was measured, and what of it is not flat."""
        early, late = self.part(0.2, 0.4), self.part(0.8, 1)
        memory = [statistics.median(sample[1] for sample in part) for part in (early, late)]
        descriptors = [max(sample[2] for sample in part) for part in (early, late)]
        threads = [max(sample[3] for sample in part) for part in (early, late)]
        speed = [(part[-1][4] - part[0][4]) / max(1e-9, part[-1][0] - part[0][0]) for part in (early, late)]
        faults = []
        if memory[1] > memory[0] * (1 + MEMORY_SHARE) + MEMORY_BYTES:
            faults.append("memory grew")
        if descriptors[1] > descriptors[0]:
            faults.append("descriptors grew")
        if threads[1] > threads[0]:
            faults.append("threads grew")
        if speed[0] <= 0 or speed[1] < speed[0] * (1 - SPEED_SHARE):
            faults.append("speed fell")
        return {
            "process": self.name, "samples": len(self.samples),
            "resident_megabytes": [round(bytes / 1e6, 1) for bytes in memory],
            "descriptors": descriptors, "threads": threads, "per_second": [round(rate, 2) for rate in speed],
            "faults": faults,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trajectory")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--folder", default="runs/soak")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tool, data, model = options.trajectory, str(folder / "hopper.hdf5"), str(folder / "model")

    def run(*arguments):
        subprocess.run([tool, *arguments], check=True, stdout=subprocess.DEVNULL)

    run("collect", "--env", "hopper", "--policy", "medium+0.2", "--steps", "20000", "--output", data)
    small = ["--layers", "2", "--width", "64", "--batch-size", "16", "--workers", "1"]
    run("train", "--dataset", data, "--output", model, *small, "--steps", "200")
    config = folder / "often.yaml"
    config.write_text("training: {checkpointInterval: 200, evaluationInterval: 100}\n")
    watched = [
        Watched("training", [
            tool, "train", "--dataset", data, "--output", str(folder / "run"), "--config", str(config), *small,
            "--steps", "100000000"], r"step (\d+)"),
        Watched("planning", [
            tool, "evaluate", "--checkpoint", model, "--env", "hopper", "--episodes", "1000000", "--beam-width", "16",
            "--horizon", "5"], r"episode (\d+) of \d+"),
    ]
    started = time.monotonic()
    try:
        while (now := time.monotonic() - started) < options.minutes * 60:
            time.sleep(SECONDS_BETWEEN_SAMPLES)
            for process in watched:
                if process.process.poll() is not None:
                    sys.exit(f"soak: {process.name} ended after {now:.0f} s: {process.last}")
                process.sample(now)
    finally:
        for process in watched:
            if process.process.poll() is None:
                process.process.send_signal(signal.SIGTERM)
        for process in watched:
            try:
                process.process.wait(60)
            except subprocess.TimeoutExpired:
                process.process.kill()
    verdicts = [process.verdict() for process in watched]
    for verdict in verdicts:
        print(json.dumps(verdict))
    if faults := [f"{verdict['process']}: {', '.join(verdict['faults'])}" for verdict in verdicts if verdict["faults"]]:
        sys.exit("soak: " + "; ".join(faults))


main()
