"""Gymnasium's environments, single and in vectors, controlled by the planner."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import gymnasium_robotics
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import trajectory_transformer as tt

gym.register_envs(gymnasium_robotics)


def test_hopper_hops(model: tt.Model) -> None:
    env = gym.make("Hopper-v5")
    planner = model.planner(action_space=env.action_space)
    results = tt.rollout(env, planner, episodes=2, seed=0, max_steps=50)
    # At random it falls within some 20 steps with a return below 30.
    assert results.lengths.tolist() == [50, 50]
    assert (results.returns > 60).all()
    assert not results.terminated.any()
    again = tt.rollout(env, planner, episodes=1, seed=1, max_steps=50)
    assert again.returns[0] == results.returns[1]
    assert results.mean == results.returns.mean()


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vectors_of_hoppers(model: tt.Model, mode: str) -> None:
    env = gym.make_vec("Hopper-v5", num_envs=3, vectorization_mode=mode, max_episode_steps=15)
    planner = model.planner(num_envs=3, horizon=2, beam_width=4)
    results = tt.rollout(env, planner, episodes=5, seed=0)
    env.close()
    assert results.lengths.tolist() == [15] * 5
    # The first episodes are those of single environments with the same seeds.
    single = gym.make("Hopper-v5", max_episode_steps=15)
    alone = tt.rollout(single, model.planner(horizon=2, beam_width=4), episodes=3, seed=0)
    assert np.array_equal(results.returns[:3], alone.returns)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_environments_that_reset_themselves(model: tt.Model, mode: AutoresetMode) -> None:
    env = gym.make_vec(
        "Hopper-v5",
        num_envs=2,
        vectorization_mode="sync",
        max_episode_steps=12,
        vector_kwargs={"autoreset_mode": mode},
    )
    planner = model.planner(num_envs=2, horizon=2, beam_width=2, autoreset=mode)
    results = tt.rollout(env, planner, episodes=6, seed=4)
    assert results.lengths.tolist() == [12] * 6
    other = "same_step" if mode is AutoresetMode.NEXT_STEP else "next_step"
    with pytest.raises(tt.OptionError, match="autoreset cannot be"):
        tt.rollout(env, model.planner(num_envs=2, autoreset=other))


def test_an_environment_that_never_resets_is_refused(model: tt.Model) -> None:
    env = gym.make_vec(
        "Hopper-v5",
        num_envs=2,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.DISABLED},
    )
    with pytest.raises(tt.OptionError, match="does not begin episodes by itself"):
        tt.rollout(env, model.planner(num_envs=2, autoreset="disabled"))


def test_what_does_not_fit_is_refused(model: tt.Model) -> None:
    env = gym.make("Hopper-v5")
    for wrong, message in (
        (lambda: tt.rollout(env, model.planner(num_envs=2)), "num_envs cannot be 2: the environment has None"),
        (lambda: tt.rollout(env, model.planner(), episodes=0), "episodes cannot be 0"),
        (lambda: tt.rollout(gym.make("Walker2d-v5"), model.planner()), "trained for 3 action dimensions"),
        (
            lambda: tt.rollout(env, model.planner(action_space=gym.spaces.Box(-2, 2, (3,)))),
            "go beyond the environment's limits",
        ),
    ):
        with pytest.raises(tt.OptionError) as raised:
            wrong()
        assert message in str(raised.value)


def logged(env: Any, steps: int, seed: int) -> dict[str, np.ndarray]:
    """Steps of actions at random in an environment of goals."""
    rows: dict[str, list[Any]] = {"observations": [], "actions": [], "rewards": [], "terminals": [], "timeouts": []}
    observation, _ = env.reset(seed=seed)
    env.action_space.seed(seed)
    for _ in range(steps):
        action = env.action_space.sample()
        rows["observations"].append(observation["observation"])
        observation, reward, terminated, truncated, _ = env.step(action)
        for name, value in zip(list(rows)[1:], (action, reward, terminated, truncated)):
            rows[name].append(value)
        if terminated or truncated:
            observation, _ = env.reset()
    return {name: np.array(values) for name, values in rows.items()}


def test_a_maze_is_walked_towards_its_goal() -> None:
    env = gym.make("PointMaze_Open-v3", max_episode_steps=20)
    dataset = tt.Dataset.from_d4rl(logged(env, 800, 0))
    model = tt.train(
        dataset, goal_columns=[0, 1], steps=20, layers=1, width=16, heads=2, window=4, termination_penalty=None
    )
    planner = model.planner(horizon=2, beam_width=4, action_space=env.action_space)
    results = tt.rollout(env, planner, episodes=2)
    assert np.isfinite(results.returns).all()
    vector = gym.make_vec("PointMaze_Open-v3", num_envs=2, vectorization_mode="sync", max_episode_steps=20)
    both = tt.rollout(vector, model.planner(num_envs=2, horizon=2, beam_width=4), episodes=2)
    assert np.array_equal(both.returns, results.returns)


def test_discrete_actions_are_integers() -> None:
    env = gym.make("CartPole-v1", max_episode_steps=30)
    rows: dict[str, list[Any]] = {"observations": [], "actions": [], "rewards": [], "terminals": [], "timeouts": []}
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(600):
        action = env.action_space.sample()
        rows["observations"].append(observation)
        observation, reward, terminated, truncated, _ = env.step(action)
        for name, value in zip(list(rows)[1:], (action, reward, terminated, truncated)):
            rows[name].append(value)
        if terminated or truncated:
            observation, _ = env.reset()
    arrays = {name: np.array(values) for name, values in rows.items()}
    dataset = tt.Dataset.from_arrays(**arrays, observation_space=env.observation_space, action_space=env.action_space)
    assert dataset.discrete == [{"column": 4, "start": 0, "count": 2}]
    model = tt.train(dataset, steps=20, layers=1, width=16, heads=2, window=4)
    assert model.tokenization["discrete"] == dataset.discrete
    planner = model.planner(horizon=2, beam_width=4, action_space=env.action_space)
    action = planner.act(observation)
    assert action.shape == ()
    assert action.dtype == np.int64
    assert (tt.rollout(env, planner, episodes=2).lengths > 0).all()
    vector = gym.make_vec("CartPole-v1", num_envs=2, vectorization_mode="sync", max_episode_steps=30)
    both = model.planner(num_envs=2, horizon=2, beam_width=4, action_space=vector.single_action_space)
    assert (tt.rollout(vector, both, episodes=2).lengths > 0).all()
    # Without a space the values are the model's.
    assert model.planner().action_high.tolist() == [1]
    assert model.planner().action_low.tolist() == [0]
    with pytest.raises(tt.DataError, match="action_space has 1 numbers, the arrays have 2"):
        tt.Dataset.from_arrays(**{**arrays, "actions": np.zeros((600, 2))}, action_space=gym.spaces.MultiDiscrete([2]))
