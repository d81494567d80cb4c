"""Times Python Gymnasium's environments: one alone, and vectors of them in and out of process.

Prints JSON with one key for each variant:

    single   one environment
    sync-8   gymnasium.vector.SyncVectorEnv of 8 copies, which take turns
    async-2  gymnasium.vector.AsyncVectorEnv of 2 copies, each in a process of its own; or another
             number of copies in either

Actions are uniform random numbers drawn beforehand; episodes that end begin anew, which counts into
the time.

Example: python environments.py --env Hopper-v4 --variants single,sync-8,async-2
"""

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable

import gymnasium
import gymnasium_robotics
import numpy as np

VARIANTS = ["single", "sync-8", "async-2", "async-4", "async-8"]

gymnasium.register_envs(gymnasium_robotics)


def stepper(variant: str, name: str) -> tuple[Callable[[int], None], int]:
    """A function that takes one step of all copies, and how many environment steps that is."""
    random = np.random.default_rng(0)
    if variant == "single":
        environment = gymnasium.make(name)
        space = environment.action_space
        actions = random.uniform(space.low, space.high, (64, *space.shape)).astype(space.dtype)

        def step(index: int) -> None:
            _, _, terminated, truncated, _ = environment.step(actions[index % 64])
            if terminated or truncated:
                environment.reset()

        environment.reset(seed=0)
        return step, 1
    kind, copies = variant.split("-")
    vectors = {"sync": gymnasium.vector.SyncVectorEnv, "async": gymnasium.vector.AsyncVectorEnv}
    environments = vectors[kind]([lambda: gymnasium.make(name)] * int(copies))
    space = environments.action_space
    actions = random.uniform(space.low, space.high, (64, *space.shape)).astype(space.dtype)
    environments.reset(seed=0)
    return lambda index: environments.step(actions[index % 64]), int(copies)


def measure(variant: str, name: str, seconds: float) -> dict:
    """Median speed of five parts."""
    step, count = stepper(variant, name)
    for index in range(32):
        step(index)
    rates = []
    for _ in range(5):
        start, taken = time.perf_counter(), 0
        while time.perf_counter() - start < seconds / 5:
            for _ in range(8):
                step(taken)
                taken += 1
        rates.append(taken * count / (time.perf_counter() - start))
    return {
        "environment": name,
        "copies": count,
        "steps_per_second": statistics.median(rates),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="Hopper-v4", help="Gymnasium's name of the environment")
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    result = {}
    for variant in options.variants.split(","):
        if variant != "single" and not re.fullmatch("(sync|async)-[1-9][0-9]*", variant):
            sys.exit(f"error: there is no variant '{variant}'; choose from {', '.join(VARIANTS)}")
        result[variant] = measure(variant, options.env, options.seconds)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
