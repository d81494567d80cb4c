#!/usr/bin/env python3
"""Checks that d3rlpy's side of the comparison is the same task: environments and episodes.

The environments must do what the golden data of the Swift tests say, from the same starts; a file's
flags must become the transitions that they mean.

    .deps/d3rlpy/bin/python Experiments/python/check.py
"""

import contextlib
import io
import json
import sys
import tempfile
import warnings
from pathlib import Path

import gymnasium
import h5py
import numpy as np

import d4rl
import robots

FIXTURES = Path(__file__).resolve().parents[2] / "Tests" / "EnvironmentsTests" / "Fixtures"
TOLERANCE = 1e-9


def golden(name: str) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file."""
    data = (FIXTURES / f"{name}.safetensors").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    arrays = {}
    for key, entry in json.loads(data[8:start]).items():
        if key != "__metadata__":
            begin, end = (start + offset for offset in entry["data_offsets"])
            kind = {"F64": "<f8", "U8": "u1"}[entry["dtype"]]
            arrays[key] = np.frombuffer(data[begin:end], kind).reshape(entry["shape"])
    return arrays


def check_environment(robot: robots.Robot) -> None:
    """Starts of the recorded seeds, and recorded rollouts step for step."""
    wanted = golden(robot.gymnasium)
    environment = gymnasium.make(robot.gymnasium)
    simulation = environment.unwrapped
    seeds = range(len(wanted["reset.qpos"]))
    for seed in seeds:
        environment.reset(seed=seed)
        agree(simulation.data.qpos, wanted["reset.qpos"][seed], f"{robot.name}, seed {seed}")
        agree(simulation.data.qvel, wanted["reset.qvel"][seed], f"{robot.name}, seed {seed}")
    steps = 0
    for rollout in ("random", "unhealthy"):
        if f"{rollout}.actions" not in wanted:
            continue
        environment.reset(seed=0)
        simulation.set_state(wanted[f"{rollout}.init_qpos"], wanted[f"{rollout}.init_qvel"])
        simulation.data.qacc_warmstart[:] = wanted[f"{rollout}.qacc_warmstart"][0]
        for step, action in enumerate(wanted[f"{rollout}.actions"]):
            place = f"{robot.name}, {rollout}, step {step}"
            observation, reward, terminated, _, _ = simulation.step(action)
            agree(observation, wanted[f"{rollout}.observations"][step + 1], place)
            agree(reward, wanted[f"{rollout}.rewards"][step], place)
            agree(terminated, wanted[f"{rollout}.terminated"][step] == 1, place)
            steps += 1
    print(f"{robot.name}: {len(seeds)} starts and {steps} steps agree")


def check_episodes() -> None:
    """What d3rlpy learns from each way in which an episode can end."""
    # d3rlpy imports gym, which prints that it is old.
    with contextlib.redirect_stderr(io.StringIO()):
        import training

    training.be_quiet()
    # Rows 0-2 end in a terminal state, 3-4 by the time limit, 5-6 with both flags, 7-8 break off.
    rows = np.arange(9, dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.hdf5"
        with h5py.File(path, "w") as file:
            file["observations"] = np.stack([rows, rows], axis=1)
            file["actions"] = rows[:, np.newaxis]
            file["rewards"] = rows
            file["terminals"] = np.isin(rows, [2, 6])
            file["timeouts"] = np.isin(rows, [4, 6])
        steps = d4rl.read(path)
    dataset = training.episodes(steps)
    found = set()
    for episode in dataset.episodes:
        for index in range(episode.transition_count):
            transition = dataset.transition_picker(episode, index)
            next_row = None if transition.terminal else int(transition.next_observation[0])
            found.add((int(transition.observation[0]), next_row))
    # Cut steps have no next observation: 4 and 8 are left out rather than joined to what follows.
    expected = {(0, 1), (1, 2), (2, None), (3, 4), (5, 6), (6, None), (7, 8)}
    if found != expected:
        sys.exit(f"check: d3rlpy sees the transitions {sorted(found, key=str)}")
    print(f"episodes: {len(expected)} transitions as the flags say")


def agree(found: np.ndarray, wanted: np.ndarray, place: str) -> None:
    """Stops at the first number that differs."""
    error = np.abs(np.asarray(found, float) - np.asarray(wanted, float)).max()
    if not error <= TOLERANCE:
        sys.exit(f"check: {place}: differs by {error:.3g} from the golden data")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for each in robots.ROBOTS:
        check_environment(each)
    check_episodes()
