"""Datasets: the same episodes whatever they come from."""

from __future__ import annotations

import pathlib
import subprocess
from typing import Any

import gymnasium
import h5py
import minari
import numpy as np
import pytest
from conftest import episodes

import trajectory_transformer as tt


def test_rows_are_cut_into_episodes() -> None:
    rows = {
        "observations": np.arange(20.0).reshape(10, 2),
        "actions": np.zeros((10, 1)),
        "rewards": np.arange(10),
        "terminals": np.arange(10) == 2,
        "timeouts": np.arange(10) == 5,
    }
    dataset = tt.Dataset.from_arrays(**rows)
    assert dataset.lengths.tolist() == [3, 3, 4]
    assert dataset.returns.tolist() == [3, 12, 30]
    assert dataset.endings == ["terminal", "timeout", "unfinished"]
    assert len(dataset) == 10
    cut = tt.Dataset.from_arrays(**rows, max_episode_length=2)
    assert cut.lengths.tolist() == [2, 1, 2, 1, 2, 2]
    assert cut.endings == ["timeout", "terminal", "timeout", "timeout", "timeout", "timeout"]
    assert "10 transitions in 3 episodes" in repr(dataset)


def test_types_do_not_matter() -> None:
    rows = episodes(3, 5)
    plain = tt.Dataset.from_d4rl(rows)
    other = tt.Dataset.from_d4rl(
        {
            "observations": np.asfortranarray(rows["observations"].astype(np.float64)),
            "actions": rows["actions"].tolist(),
            "rewards": rows["rewards"][:, None],
            "terminals": rows["terminals"].astype(float),
            "timeouts": rows["timeouts"].astype(np.int64),
        }
    )
    assert np.array_equal(plain.returns, other.returns)
    assert np.array_equal(plain.lengths, other.lengths)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"observations": np.zeros(10)}, r"observations has the shape \(10,\), expected \(T, width\)"),
        ({"actions": np.zeros((9, 1))}, "actions has 9 rows, rewards has 10"),
        ({"rewards": np.zeros((10, 2))}, r"rewards has the shape \(10, 2\), expected \(T,\)"),
        ({"observations": np.array([["a"]] * 10)}, "observations is no array of numbers"),
        ({"observations": np.zeros((10, 2), complex)}, "observations is no array of numbers"),
        ({"observations": np.zeros((10, 0))}, "the width of observations must be positive, found 0"),
        ({"max_episode_length": 0}, "max_episode_length cannot be 0"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    rows: dict[str, Any] = {
        "observations": np.zeros((10, 2)),
        "actions": np.zeros((10, 1)),
        "rewards": np.zeros(10),
        "terminals": np.zeros(10),
        "timeouts": None,
    }
    with pytest.raises(tt.DataError, match=message):
        tt.Dataset.from_arrays(**{**rows, **change})


def test_no_rows_are_refused() -> None:
    with pytest.raises(tt.DataError, match="the number of rows must be positive, found 0"):
        tt.Dataset.from_arrays(
            observations=np.zeros((0, 2)), actions=np.zeros((0, 1)), rewards=[], terminals=[], timeouts=None
        )


def test_an_older_d4rl_dictionary_must_say_where_time_ended() -> None:
    rows = episodes(2, 5)
    del rows["timeouts"]
    with pytest.raises(tt.DataError, match="max_episode_length"):
        tt.Dataset.from_d4rl(rows)
    assert tt.Dataset.from_d4rl(rows, max_episode_length=5).lengths.tolist() == [5, 5]
    assert tt.Dataset.from_d4rl(rows, no_time_limit=True).lengths.tolist() == [10]
    with pytest.raises(tt.DataError, match="no_time_limit is for"):
        tt.Dataset.from_d4rl(rows, no_time_limit=True, max_episode_length=5)
    with pytest.raises(tt.DataError, match="has no 'rewards'"):
        tt.Dataset.from_d4rl({"observations": rows["observations"], "actions": rows["actions"]})


def test_minaris_episodes_are_d4rls(tool: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, folder = tmp_path / "hopper.hdf5", tmp_path / "datasets/mujoco/hopper/test-v0"
    for arguments in (
        ["collect", "--env", "hopper", "--policy", "random", "--steps", "300", "--output", str(file)],
        ["dataset", "convert", str(file), str(folder), "--dataset-id", "mujoco/hopper/test-v0", "--env", "Hopper-v5"],
    ):
        subprocess.run([tool, *arguments], check=True, capture_output=True)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "datasets"))
    with h5py.File(file) as arrays:
        d4rl = tt.Dataset.from_d4rl(
            {name: arrays[name][()] for name in arrays if isinstance(arrays[name], h5py.Dataset)}
        )
    ours = tt.Dataset.from_minari(minari.load_dataset("mujoco/hopper/test-v0"))
    assert np.array_equal(ours.lengths, d4rl.lengths)
    assert np.array_equal(ours.returns, d4rl.returns)
    assert ours.endings[:-1] == d4rl.endings[:-1]
    assert (ours.observation_dim, ours.action_dim) == (11, 3)


class Episode:
    """An episode as Minari gives it, with a dictionary of observations."""

    def __init__(self, steps: int) -> None:
        rows = np.arange(steps + 1.0)[:, None]
        self.observations = {"desired_goal": rows + 200, "achieved_goal": rows + 100, "observation": rows}
        self.actions = np.zeros((steps, 2))
        self.rewards = np.ones(steps)
        self.terminations = np.arange(steps) == steps - 1
        self.truncations = np.zeros(steps, bool)


def test_dictionaries_are_joined() -> None:
    dataset = tt.Dataset.from_minari([Episode(3), Episode(4)])
    assert dataset.observation_dim == 3
    assert dataset.lengths.tolist() == [3, 4]
    assert dataset.endings == ["terminal", "terminal"]
    assert tt.Dataset.from_minari([Episode(3)], observation_keys=["observation"]).observation_dim == 1
    with pytest.raises(tt.DataError, match="there is no 'place'"):
        tt.Dataset.from_minari([Episode(3)], observation_keys=["place"])
    with pytest.raises(tt.DataError, match="there are no episodes"):
        tt.Dataset.from_minari([])


class Walk:
    """A dataset as Minari gives it, whose observations and actions are whole numbers."""

    observation_space = gymnasium.spaces.Dict(
        {"place": gymnasium.spaces.Discrete(5, start=1), "observation": gymnasium.spaces.Box(-1, 1, (2,))}
    )
    action_space = gymnasium.spaces.Discrete(3)

    def iterate_episodes(self) -> Any:
        for _ in range(2):
            episode = Episode(4)
            places = np.arange(1, 6)
            episode.observations = {"place": places, "observation": np.zeros((5, 2))}
            episode.actions = np.array([0, 1, 2, 0])
            yield episode


def test_whole_numbers_are_known_by_their_spaces() -> None:
    dataset = tt.Dataset.from_minari(Walk())
    assert (dataset.observation_dim, dataset.action_dim) == (3, 1)
    assert dataset.discrete == [{"column": 2, "start": 1, "count": 5}, {"column": 3, "start": 0, "count": 3}]
    alone = tt.Dataset.from_minari(Walk(), observation_keys=["place"])
    assert alone.discrete == [{"column": 0, "start": 1, "count": 5}, {"column": 1, "start": 0, "count": 3}]
