"""Episodes of a planner in environments of Gymnasium."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._arguments import whole
from .errors import OptionError
from .planner import Planner, action_limits


@dataclass(frozen=True)
class Rollouts:
    """What came of K episodes, in the order in which they were begun."""

    #: (K,): sum of the rewards, undiscounted.
    returns: npt.NDArray[np.float64]
    #: (K,): steps.
    lengths: npt.NDArray[np.int64]
    #: (K,): whether it ended in a terminal state rather than by a time limit.
    terminated: npt.NDArray[np.bool_]

    @property
    def mean(self) -> float:
        """Mean return."""
        return float(self.returns.mean())


def rollout(env: Any, planner: Planner, *, episodes: int = 5, seed: int = 0, max_steps: int | None = None) -> Rollouts:
    """Lets a planner act in an environment, `gymnasium.make(...)` or `gymnasium.make_vec(...)`.

    A single environment's episode k is reset with `seed + k`, and its returns are those of `trajectory evaluate` with
    that seed where the environment is the same. Of a vector the first episodes of its environments have `seed`,
    `seed + 1`, …; each environment plays an equal share of the episodes, so that short ones are not preferred.
    `max_steps` ends episodes earlier than the environment's time limit (single environments only).

    Raises `OptionError` where planner and environment do not fit together, and what `Planner.act` raises.
    """
    count = whole("episodes", episodes)
    if count is None or count < 1:
        raise OptionError(f"episodes cannot be {episodes}: give a whole number from 1 up")
    first = whole("seed", seed, unsigned=True) or 0
    rows = getattr(env, "num_envs", None) if hasattr(env, "single_action_space") else None
    if rows != planner.num_envs:
        raise OptionError(f"num_envs cannot be {planner.num_envs}: the environment has {rows}")
    space = env.action_space if rows is None else env.single_action_space
    low, high = action_limits(space, planner.model, None)
    if (low > planner.action_low).any() or (high < planner.action_high).any():
        raise OptionError(
            "the planner's actions go beyond the environment's limits; make the planner with "
            "action_space=env.action_space"
        )
    if rows is None:
        return _one(env, planner, count, first, whole("max_steps", max_steps))
    if max_steps is not None:
        raise OptionError("max_steps is for single environments; give make_vec a max_episode_steps")
    return _vector(env, planner, count, first, int(rows))


def _one(env: Any, planner: Planner, episodes: int, seed: int, most: int | None) -> Rollouts:
    returns, lengths, ends = np.zeros(episodes), np.zeros(episodes, np.int64), np.zeros(episodes, bool)
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed + episode)
        planner.reset(seed=seed + episode)
        over = False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(planner.act(observation))
            returns[episode] += float(reward)
            lengths[episode] += 1
            over = bool(terminated or truncated) or lengths[episode] == most
            planner.observe(reward, terminated, truncated)
        ends[episode] = bool(terminated)
    return Rollouts(returns, lengths, ends)


def _vector(env: Any, planner: Planner, episodes: int, seed: int, rows: int) -> Rollouts:
    mode = (getattr(env, "metadata", None) or {}).get("autoreset_mode")
    if getattr(mode, "value", mode) in ("Disabled", "disabled"):
        raise OptionError(
            "the environment does not begin episodes by itself; make it with autoreset, or step it yourself"
        )
    name = "same_step" if getattr(mode, "value", mode) in ("SameStep", "same_step") else "next_step"
    if planner.autoreset != name:
        raise OptionError(f"autoreset cannot be {planner.autoreset}: the environment's is {name}")
    # Episode k is the k // rows-th of environment k % rows.
    shares = [len(range(row, episodes, rows)) for row in range(rows)]
    results: list[list[tuple[float, int, bool]]] = [[] for _ in range(rows)]
    totals, steps, over = np.zeros(rows), np.zeros(rows, np.int64), np.zeros(rows, bool)
    observation, _ = env.reset(seed=seed)
    planner.reset(seed=seed)
    while any(len(result) < share for result, share in zip(results, shares)):
        observation, reward, terminated, truncated, _ = env.step(planner.act(observation))
        planner.observe(reward, terminated, truncated)
        # The step that resets an environment belongs to no episode.
        counted = ~over
        totals[counted] += np.asarray(reward, np.float64)[counted]
        steps[counted] += 1
        ended = (np.asarray(terminated) | np.asarray(truncated)) & counted
        for row in np.flatnonzero(ended):
            results[row].append((float(totals[row]), int(steps[row]), bool(terminated[row])))
            totals[row], steps[row] = 0, 0
        over = ended if name == "next_step" else np.zeros(rows, bool)
    found = [results[episode % rows][episode // rows] for episode in range(episodes)]
    return Rollouts(
        np.array([one[0] for one in found]),
        np.array([one[1] for one in found], np.int64),
        np.array([one[2] for one in found], bool),
    )
