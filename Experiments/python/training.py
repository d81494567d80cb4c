"""Trains d3rlpy's algorithms in parts, and scores the policies between them."""

import importlib.metadata
import json
import resource
import sys
import time
from argparse import Namespace

import d3rlpy
import gymnasium
import numpy as np
import structlog
import torch
from d3rlpy.algos import IQLConfig, TD3PlusBCConfig
from d3rlpy.dataset import MDPDataset
from d3rlpy.optimizers import AdamFactory, CosineAnnealingLRFactory
from d3rlpy.preprocessing import ReturnBasedRewardScaler, StandardObservationScaler

import d4rl
import robots
from failure import Failure

CHUNK = 1000
"""Gradient steps between two lines of progress."""


def run(options: Namespace) -> dict:
    """Trains and scores as the command line says; returns what is to be printed."""
    be_quiet()
    torch.set_num_threads(options.threads)
    robot = robots.robot(options.env)
    steps = d4rl.read(options.dataset)
    check(steps, robot, options)
    dataset = episodes(steps)
    if dataset.transition_count == 0:
        raise Failure(
            f"cannot use '{options.dataset}': no step in it is terminal or has a next one"
        )

    d3rlpy.seed(options.seed)
    config = configuration(options)
    algorithm = config.create(device=False)
    note(
        f"{type(config).__name__} of d3rlpy {d3rlpy.__version__} on {dataset.transition_count} "
        f"transitions, {options.threads} thread{'s'[: options.threads > 1]}"
    )

    def act(observation: np.ndarray) -> np.ndarray:
        return algorithm.predict(observation[np.newaxis].astype(np.float32))[0]

    trend = []
    done, training_seconds, processor_seconds = 0, 0.0, 0.0
    stops = {*range(CHUNK, options.steps, CHUNK), *options.evaluate_at, options.steps}
    for stop in sorted(stops):
        start, processor_start = time.perf_counter(), time.process_time()
        # Called again, d3rlpy goes on where it was: what it draws does not depend on the parts.
        algorithm.fit(
            dataset,
            n_steps=stop - done,
            n_steps_per_epoch=stop - done,
            logger_adapter=d3rlpy.logging.NoopAdapterFactory(),
            show_progress=False,
        )
        elapsed = time.perf_counter() - start
        note(f"step {stop} of {options.steps}  {(stop - done) / elapsed:.0f} steps/s")
        training_seconds += elapsed
        processor_seconds += time.process_time() - processor_start
        done = stop
        if stop not in options.evaluate_at and stop != options.steps:
            continue
        report = robots.evaluate(act, robot, options.episodes, options.evaluation_seed)
        mean, score = report["mean_return"], report["normalized_score"]
        note(f"step {stop}: mean return {mean:.1f}, normalized score {score:.1f}")
        if stop in options.evaluate_at:
            trend.append({"steps": stop, "mean_return": mean, "normalized_score": score})

    report |= {
        "algorithm": options.algorithm,
        "version": d3rlpy.__version__,
        "versions": {
            name: importlib.metadata.version(name) for name in ("gymnasium", "mujoco", "torch")
        },
        "settings": options.settings,
        "config": {"name": type(config).__name__, **json.loads(algorithm.config.serialize())},
        "dataset": str(options.dataset),
        "transitions": dataset.transition_count,
        "steps": options.steps,
        "seed": options.seed,
        "threads": options.threads,
        "training_seconds": training_seconds,
        "training_processor_seconds": processor_seconds,
        "steps_per_second": options.steps / training_seconds,
        "peak_memory_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if trend:
        report["trend"] = trend
    return report


def be_quiet() -> None:
    """Lets d3rlpy log errors only: every part of the training but the first would warn that the
    model is there already."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))


def episodes(steps: d4rl.Steps) -> MDPDataset:
    """The steps as d3rlpy wants them."""
    return MDPDataset(
        steps.observations,
        steps.actions,
        steps.rewards,
        steps.terminals,
        steps.timeouts,
        # d3rlpy would take whole numbers for discrete actions.
        action_space=d3rlpy.ActionSpace.CONTINUOUS,
        action_size=steps.actions.shape[1],
    )


def configuration(options: Namespace) -> IQLConfig | TD3PlusBCConfig:
    """d3rlpy's defaults, or with what the papers (and d3rlpy's reproductions of them) add."""
    published = options.settings == "papers"
    if options.algorithm == "td3+bc":
        scaler = StandardObservationScaler() if published else None
        return TD3PlusBCConfig(observation_scaler=scaler)
    if not published:
        return IQLConfig()
    schedule = CosineAnnealingLRFactory(T_max=options.steps)
    return IQLConfig(
        actor_optim_factory=AdamFactory(lr_scheduler_factory=schedule),
        reward_scaler=ReturnBasedRewardScaler(multiplier=1000.0),
    )


def check(steps: d4rl.Steps, robot: robots.Robot, options: Namespace) -> None:
    """Refuses data of another robot."""
    if steps.environment and not steps.environment.lower().startswith(robot.family):
        raise Failure(
            f"cannot use '{options.dataset}' for {robot.name}: it was collected in "
            f"{steps.environment}; give that as --env"
        )
    environment = gymnasium.make(robot.gymnasium)
    for field, array, space in [
        ("observations", steps.observations, environment.observation_space),
        ("actions", steps.actions, environment.action_space),
    ]:
        if array.shape[1:] != space.shape:
            raise Failure(
                f"cannot use '{options.dataset}' for {robot.name}: '{field}' has "
                f"{array.shape[1]} columns, not {space.shape[0]}"
            )


def note(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)
