#!/usr/bin/env python3
"""Checks both directions between this project's tool and Minari's own package.

    test-minari.py TOOL FOLDER

TOOL is the built `trajectory`; FOLDER, which is replaced, holds the datasets. Run by `make test-minari`
in an environment that has Minari.
"""
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "Tests/DatasetsTests/Fixtures"


def main(tool, folder):
    folder = Path(folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["MINARI_DATASETS_PATH"] = str(folder)

    import gymnasium as gym
    import h5py
    import minari
    import numpy as np

    def run(*arguments):
        result = subprocess.run([tool, "dataset", *map(str, arguments)], capture_output=True, text=True)
        assert result.returncode == 0, f"{arguments}: {result.stderr}"
        return result.stdout

    # --- Minari writes, we read ---------------------------------------------------------------
    script = FIXTURES / "minari/make_minari.py"
    spec = importlib.util.spec_from_file_location("make_minari", script)
    make_minari = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_minari)
    make_minari.main(str(folder))

    for name, keys in [("boxes-v0", None), ("maze-v0", ("observation", "achieved_goal", "desired_goal"))]:
        theirs = minari.load_dataset(name)
        info = json.loads(run("info", folder / name, "--json"))
        assert info["transitions"] == theirs.total_steps, info
        assert info["episodes"] == theirs.total_episodes, info
        run("convert", folder / name, folder / f"{name}.hdf5")
        with h5py.File(folder / f"{name}.hdf5") as file:
            start = 0
            for episode in theirs.iterate_episodes():
                rows = slice(start, start + len(episode))
                observations = episode.observations
                if keys:
                    observations = np.concatenate([observations[key] for key in keys], axis=1)
                assert np.array_equal(file["observations"][rows], observations[:-1].astype(np.float32))
                assert np.array_equal(file["actions"][rows], episode.actions)
                assert np.array_equal(file["rewards"][rows], episode.rewards.astype(np.float32))
                assert np.array_equal(file["terminals"][rows], episode.terminations)
                start = rows.stop
            assert start == len(file["rewards"])
        print(f"{name}: written by Minari {minari.__version__}, read by us")

    # --- We write, Minari reads ---------------------------------------------------------------
    source = folder / "source.hdf5"
    generator = np.random.default_rng(5)
    lengths = [40, 1, 25, 34]
    rows = sum(lengths)
    ends = np.cumsum(lengths) - 1
    flags = np.zeros((2, rows), dtype=bool)
    flags[0, ends[[0, 2]]] = True
    flags[1, ends[[1, 3]]] = True
    data = dict(
        observations=generator.normal(size=(rows, 11)).astype(np.float32),
        actions=generator.uniform(-1, 1, (rows, 3)).astype(np.float32),
        rewards=generator.normal(size=rows).astype(np.float32),
        terminals=flags[0],
        timeouts=flags[1],
    )
    with h5py.File(source, "w") as file:
        for key, values in data.items():
            file[key] = values
    (folder / "hopper").mkdir()
    run("convert", source, folder / "hopper/test-v1", "--dataset-id", "hopper/test-v1", "--env", "Hopper-v5",
        "--algorithm", "noise", "--author", "tests", "--summary", "Noise.")  # fmt: skip
    ours = minari.load_dataset("hopper/test-v1")
    assert "hopper/test-v1" in minari.list_local_datasets(compatible_minari_version=True)
    assert ours.spec.dataset_name == "test" and ours.spec.version == 1 and ours.spec.namespace == "hopper"
    assert (ours.total_episodes, ours.total_steps) == (len(lengths), rows)
    assert ours.observation_space == gym.spaces.Box(-np.inf, np.inf, (11,), np.float32)
    assert ours.action_space == gym.spaces.Box(-1, 1, (3,), np.float32)
    assert ours.env_spec.id == "Hopper-v5"
    assert ours.env_spec.entry_point == gym.spec("Hopper-v5").entry_point
    assert ours.env_spec.max_episode_steps == gym.spec("Hopper-v5").max_episode_steps
    start = 0
    for index, episode in enumerate(ours.iterate_episodes()):
        part = slice(start, start + lengths[index])
        assert len(episode) == lengths[index]
        assert np.array_equal(episode.observations[:-1], data["observations"][part])
        assert np.array_equal(episode.observations[-1], episode.observations[-2])
        assert np.array_equal(episode.actions, data["actions"][part])
        assert np.array_equal(episode.rewards, data["rewards"][part])
        assert np.array_equal(episode.terminations, data["terminals"][part])
        assert np.array_equal(episode.truncations, data["timeouts"][part])
        assert all(ours.action_space.contains(action) for action in episode.actions)
        assert all(ours.observation_space.contains(row) for row in episode.observations)
        start = part.stop
    for index, metadata in enumerate(ours.storage.get_episode_metadata(range(4))):
        assert metadata["id"] == index and metadata["total_steps"] == lengths[index]
    assert len(ours.sample_episodes(2)) == 2
    assert len(ours.filter_episodes(lambda episode: bool(episode.terminations[-1]))) == 2
    # What Minari says about its own dataset survives the way through D4RL's format.
    run("convert", folder / "boxes-v0.hdf5", folder / "back-v0")
    back, theirs = minari.load_dataset("back-v0"), minari.load_dataset("boxes-v0")
    # Its spaces, too, in the single precision that is written.
    for space, other in [(back.observation_space, theirs.observation_space), (back.action_space, theirs.action_space)]:
        assert space == gym.spaces.Box(other.low.astype(np.float32), other.high.astype(np.float32), dtype=np.float32)
    for episode in back.iterate_episodes():
        assert all(back.observation_space.contains(row) for row in episode.observations)
    assert back.env_spec == theirs.env_spec
    print(f"hopper/test-v1, back-v0: written by us, read by Minari {minari.__version__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
