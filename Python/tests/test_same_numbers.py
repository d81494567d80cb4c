"""What Python computes is what the command line computes, bit for bit."""

from __future__ import annotations

import json
import pathlib
import subprocess

import gymnasium as gym
import h5py
import numpy as np
import pytest
from conftest import episodes

import trajectory_transformer as tt

#: The model that the wheel carries is the repository's.
HOPPER = pathlib.Path(tt.__file__).with_name("checkpoints") / "hopper"


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, []),
        (
            {"horizon": 7, "beam_width": 8, "window": "cached"},
            ["--horizon", "7", "--beam-width", "8", "--window", "cached"],
        ),
        ({"objective": "imitation", "beam_width": 4}, ["--objective", "imitation", "--beam-width", "4"]),
        (
            {"warm_start": True, "replan_interval": 2, "readout": 0.8},
            ["--warm-start", "--replan-interval", "2", "--readout", "0.8"],
        ),
    ],
)
def test_episodes_have_the_same_returns(
    model: tt.Model, tool: str, options: dict[str, object], arguments: list[str]
) -> None:
    result = subprocess.run(
        [
            tool,
            "evaluate",
            "--checkpoint",
            str(HOPPER),
            "--env",
            "hopper-v5",
            "--episodes",
            "2",
            "--seed",
            "5",
            "--maximum-steps",
            "60",
            "--json",
            *arguments,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    expected = json.loads(result.stdout)
    planner = model.planner(dtype=np.float64, **options)  # type: ignore[arg-type]
    results = tt.rollout(gym.make("Hopper-v5"), planner, episodes=2, seed=5, max_steps=60)
    assert results.returns.tolist() == expected["returns"]
    # The options are the same, those that were not given included.
    assert {name: expected["planner"][name] for name in planner.options} == planner.options


def test_a_run_has_the_same_parameters(tool: str, tmp_path: pathlib.Path) -> None:
    rows = episodes()
    with h5py.File(tmp_path / "data.hdf5", "w") as file:
        for name, values in rows.items():
            file[name] = values
    subprocess.run(
        [
            tool,
            "train",
            "--dataset",
            str(tmp_path / "data.hdf5"),
            "--output",
            str(tmp_path / "tool"),
            "--steps",
            "10",
            "--layers",
            "1",
            "--heads",
            "2",
            "--width",
            "16",
            "--window",
            "4",
            "--batch-size",
            "8",
            "--seed",
            "9",
            "--workers",
            "2",
        ],
        check=True,
        capture_output=True,
    )
    ours = tt.train(
        tt.Dataset.from_d4rl(rows), steps=10, layers=1, heads=2, width=16, window=4, batch_size=8, seed=9, workers=2
    )
    theirs = tt.load(tmp_path / "tool")
    assert theirs.tokenization == ours.tokenization
    one, other = ours.state_dict(), theirs.state_dict()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert np.array_equal(ours.discretizer.edges, theirs.discretizer.edges)
