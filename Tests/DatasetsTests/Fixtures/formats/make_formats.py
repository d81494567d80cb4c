"""Small datasets in the layouts of other programs; run in a scratch environment with NumPy and h5py.

Row r of the whole file has observation (r, r + 0.25, r + 0.5), action (-r, r / 100), reward r / 2. Episodes have 4, 3 and 5 rows; the
first ends in a terminal state, the second by a time limit, the third neither.
"""
import json, sys
import h5py, numpy as np

out = sys.argv[1]
lengths = [4, 3, 5]
N = sum(lengths)
r = np.arange(N, dtype=np.float64)
observations = np.stack([r, r + 0.25, r + 0.5], 1).astype(np.float32)
actions = np.stack([-r, r / 100], 1).astype(np.float32)
rewards = (r / 2).astype(np.float32)
ends = np.cumsum(lengths) - 1
terminals = np.zeros(N, bool)
terminals[ends[0]] = True
timeouts = np.zeros(N, bool)
timeouts[ends[1]] = True

np.savez(f"{out}/plain.npz", observations=observations, actions=actions, rewards=rewards, terminals=terminals, timeouts=timeouts)
np.savez_compressed(
    f"{out}/compressed.npz", observations=np.asfortranarray(observations.astype(np.float64)), actions=actions, rewards=rewards[:, None],
    terminals=terminals.astype(np.float32), timeouts=timeouts.astype(np.uint8), infos=np.zeros(1))

# OGBench: a row more for each trajectory, which terminals marks; qpos and qvel beside it.
rows = np.concatenate([np.r_[np.arange(e - n + 1, e + 1), -1] for n, e in zip(lengths, ends)])
og = np.where(rows[:, None] < 0, 777, observations[rows]).astype(np.float32)
np.savez_compressed(
    f"{out}/ogbench.npz", observations=og, actions=np.where(rows[:, None] < 0, 0, actions[rows]).astype(np.float32),
    terminals=(rows < 0).astype(np.float32), qpos=np.zeros((len(rows), 2), np.float32), qvel=np.zeros((len(rows), 2), np.float32))

# d3rlpy 1: MDPDataset.dump
with h5py.File(f"{out}/d3rlpy1.h5", "w") as h5:
    h5.create_dataset("observations", data=observations)
    h5.create_dataset("actions", data=actions)
    h5.create_dataset("rewards", data=rewards)
    h5.create_dataset("terminals", data=terminals.astype(np.float32))
    h5.create_dataset("episode_terminals", data=(terminals | timeouts).astype(np.float32))
    h5.create_dataset("discrete_action", data=False)
    h5.create_dataset("version", data="1.0")

# d3rlpy 2: d3rlpy.dataset.io.dump
with h5py.File(f"{out}/d3rlpy2.h5", "w") as h5:
    h5.create_dataset("columns", data=["observations", "actions", "rewards", "terminated"])
    h5.create_dataset("num_episodes", data=3)
    for i, (n, e) in enumerate(zip(lengths, ends)):
        part = slice(e - n + 1, e + 1)
        h5.create_dataset(f"observations_{i}", data=observations[part])
        h5.create_dataset(f"actions_{i}", data=actions[part])
        h5.create_dataset(f"rewards_{i}", data=rewards[part, None])
        h5.create_dataset(f"terminated_{i}", data=bool(terminals[e]))
    h5.create_dataset("version", data="2.1")

# robomimic: data/demo_N, not in the order of names; a picture among the observations.
with h5py.File(f"{out}/robomimic.hdf5", "w") as h5:
    data = h5.create_group("data")
    data.attrs["env_args"] = json.dumps({"env_name": "Lift", "type": 1, "env_kwargs": {}})
    data.attrs["total"] = N
    for i, (n, e) in zip([0, 2, 10], zip(lengths, ends)):
        part = slice(e - n + 1, e + 1)
        demo = data.create_group(f"demo_{i}")
        demo.attrs["num_samples"] = n
        demo.create_dataset("actions", data=actions[part].astype(np.float64))
        demo.create_dataset("rewards", data=rewards[part].astype(np.float64))
        demo.create_dataset("dones", data=np.r_[np.zeros(n - 1, np.int64), int(terminals[e])])
        demo.create_dataset("states", data=np.zeros((n, 7)))
        for group in ("obs", "next_obs"):
            obs = demo.create_group(group)
            obs.create_dataset("object", data=observations[part, 1:].astype(np.float64))
            obs.create_dataset("arm", data=observations[part, :1].astype(np.float64))
            obs.create_dataset("agentview_image", data=np.zeros((n, 4, 4, 3), np.uint8))

# A file of h5py with actions of one number in one dimension.
with h5py.File(f"{out}/flat_actions.hdf5", "w") as h5:
    h5["observations"], h5["actions"], h5["rewards"] = observations, actions[:, 0], rewards
    h5["terminals"], h5["timeouts"] = terminals, timeouts

# Two episodes of which one has NaN.
with h5py.File(f"{out}/nan.hdf5", "w") as h5:
    broken = observations.copy()
    broken[5, 1] = np.nan
    h5["observations"], h5["actions"], h5["rewards"], h5["terminals"], h5["timeouts"] = broken, actions, rewards, terminals, timeouts
