"""A dataset of d3rlpy turned into ours, trained on and planned with."""

import d3rlpy
import gymnasium as gym
import numpy as np

import trajectory_transformer as tt

random = np.random.default_rng(0)
env = gym.make("Hopper-v5", max_episode_steps=60)
rows = {name: [] for name in ("observations", "actions", "rewards", "terminals", "timeouts")}
observation, _ = env.reset(seed=0)
for _ in range(2000):
    action = random.uniform(-1, 1, 3).astype(np.float32)
    rows["observations"].append(observation)
    observation, reward, terminated, truncated, _ = env.step(action)
    for name, value in zip(list(rows)[1:], (action, reward, terminated, truncated)):
        rows[name].append(value)
    if terminated or truncated:
        observation, _ = env.reset()
rows = {name: np.array(values) for name, values in rows.items()}
theirs = d3rlpy.dataset.MDPDataset(
    observations=rows["observations"].astype(np.float32),
    actions=rows["actions"],
    rewards=rows["rewards"].astype(np.float32),
    terminals=rows["terminals"].astype(np.float32),
    timeouts=rows["timeouts"].astype(np.float32),
)


def last(episode, value):
    """False for all steps of an episode but the last."""
    return np.arange(len(episode.rewards)) == (len(episode.rewards) - 1 if value else -1)


episodes = theirs.episodes
ours = tt.Dataset.from_arrays(
    observations=np.concatenate([episode.observations for episode in episodes]),
    actions=np.concatenate([episode.actions for episode in episodes]),
    rewards=np.concatenate([episode.rewards for episode in episodes]),
    terminals=np.concatenate([last(episode, episode.terminated) for episode in episodes]),
    timeouts=np.concatenate([last(episode, True) for episode in episodes]),
)
direct = tt.Dataset.from_d4rl(rows)
assert ours.lengths.tolist() == [len(episode.rewards) for episode in episodes]
count = len(ours.lengths)
assert ours.lengths.tolist() == direct.lengths.tolist()[:count]
assert np.allclose(ours.returns, direct.returns[:count], rtol=1e-6)
assert ours.endings == direct.endings[:count]

model = tt.train(ours, steps=100, layers=1, heads=2, width=32)
planner = model.planner(horizon=3, beam_width=8, action_space=env.action_space)
results = tt.rollout(env, planner, episodes=2)
assert np.isfinite(results.returns).all()
print(f"d3rlpy {d3rlpy.__version__}: {ours}, then returns {results.returns.round(1).tolist()}")
