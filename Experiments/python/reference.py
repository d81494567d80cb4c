#!/usr/bin/env python3
"""Trains d3rlpy's IQL or TD3+BC on a D4RL-format file and scores the policy in closed loop.

An outside reference: d3rlpy's own code and, unless told otherwise, its default settings, on the same
files and from the same starts as `trajectory evaluate`. Runs in the environment that
Scripts/reference-environment.sh makes. Prints one JSON object; progress goes to standard error.

    .deps/d3rlpy/bin/python Experiments/python/reference.py --algorithm iql \\
        --dataset hopper.hdf5 --env hopper --steps 10000
    .deps/d3rlpy/bin/python Experiments/python/reference.py --algorithm td3+bc \\
        --dataset hopper.hdf5 --env hopper --steps 100000 --evaluate-at 20000,50000

The keys returns, mean_return, standard_deviation, normalized_score, lengths, seeds and environment
are those of `trajectory evaluate --json`. Further: algorithm; version of d3rlpy and versions of the
rest; settings, and config with all that d3rlpy was told; dataset; transitions that it learns from (a
step cut by a time limit has no next observation and is left out); steps; seed; threads; seconds all in
all, training_seconds, training_processor_seconds (of all threads), steps_per_second,
peak_memory_megabytes; with --evaluate-at also trend, a list of steps, mean_return and
normalized_score.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import time
import warnings
from pathlib import Path

from failure import Failure

STARTED = time.perf_counter()


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> None:
        self.exit(2, f"error: {message}; --help explains\n")


def count(text: str) -> int:
    """A positive number."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive number, found '{text}'")
    return int(text)


def seed(text: str) -> int:
    """What NumPy takes for a seed."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 4294967295, found '{text}'")
    return int(text)


def counts(text: str) -> list[int]:
    """Positive numbers, ascending."""
    return sorted({count(part) for part in text.split(",")})


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--algorithm", required=True, choices=["iql", "td3+bc"])
    parser.add_argument("--dataset", required=True, type=Path, metavar="FILE")
    parser.add_argument("--env", required=True, help="hopper, halfcheetah or walker2d")
    parser.add_argument("--steps", required=True, type=count, help="gradient steps")
    parser.add_argument(
        "--settings",
        choices=["default", "papers"],
        default="default",
        help="d3rlpy's defaults, or with what the papers add: rewards scaled by the range of returns "
        "and a cosine schedule of the policy's learning rate (IQL), standardized observations (TD3+BC)",
    )
    parser.add_argument("--episodes", type=count, default=10)
    parser.add_argument("--seed", type=seed, default=0, help="of training")
    parser.add_argument(
        "--evaluation-seed",
        type=seed,
        default=0,
        help="of the first episode; the next has one more",
    )
    parser.add_argument(
        "--evaluate-at",
        type=counts,
        default=[],
        metavar="STEPS,...",
        help="also score the policy after so many steps; training goes on as if it had not been",
    )
    parser.add_argument("--threads", type=count, default=1, help="of PyTorch")
    parser.add_argument(
        "--json", action="store_true", help="as `trajectory` has it; always on here"
    )
    options = parser.parse_args()
    if max(options.evaluate_at, default=0) > options.steps:
        parser.error(
            f"argument --evaluate-at: {options.evaluate_at[-1]} is after the last of "
            f"{options.steps} steps"
        )
    return options


def main() -> None:
    """Leaves standard output to the result: whatever libraries print goes to standard error."""
    options = arguments()
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # OpenMP reads these when PyTorch is loaded. Threads that spin while they wait take the processor
    # from the one they wait for wherever other programs run.
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    warnings.simplefilter("ignore")
    try:
        # d3rlpy imports gym, which prints that it is old.
        with contextlib.redirect_stderr(io.StringIO()):
            import training

        report = training.run(options)
    except ImportError as error:
        sys.exit(
            f"error: {error}; run Scripts/reference-environment.sh, then .deps/d3rlpy/bin/python"
        )
    except Failure as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    report["seconds"] = time.perf_counter() - STARTED
    with output:
        print(json.dumps(report, indent=2, sort_keys=True), file=output)


if __name__ == "__main__":
    main()
