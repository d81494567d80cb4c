"""Episodes in Gymnasium, from the starts that `trajectory evaluate` gives the same seeds."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import gymnasium
import mujoco
import numpy as np

from failure import Failure

# Version 4 is meant, though there is a later one.
gymnasium.logger.min_level = gymnasium.logger.ERROR


def _warn(text: str) -> None:
    """Takes MuJoCo's warnings, which would go to a file in the current folder."""
    # Gymnasium's models are as they are.
    if "deprecated" not in text:
        print(text, file=sys.stderr, flush=True)


mujoco.set_mju_user_warning(_warn)


@dataclass(frozen=True)
class Robot:
    """A robot of D4RL's."""

    family: str
    """As this project calls it."""
    gymnasium: str
    """Gymnasium's name of version 4, whose rewards are those of D4RL's data."""
    random: float
    """Return that counts as 0."""
    expert: float
    """Return that counts as 100."""

    @property
    def name(self) -> str:
        """The canonical name, such as hopper-v4."""
        return f"{self.family}-v4"

    def normalized_score(self, episode_return: float) -> float:
        """D4RL's score of an undiscounted return."""
        return 100 * (episode_return - self.random) / (self.expert - self.random)


# The reference scores are those of EnvironmentSpecification, which are D4RL's.
ROBOTS = [
    Robot("hopper", "Hopper-v4", -20.272305, 3234.3),
    Robot("halfcheetah", "HalfCheetah-v4", -280.178953, 12135.0),
    Robot("walker2d", "Walker2d-v4", 1.629008, 4592.3),
]


def robot(name: str) -> Robot:
    """The robot of that name, with or without the version."""
    for candidate in ROBOTS:
        if name.lower() in (candidate.family, candidate.name):
            return candidate
    known = ", ".join(candidate.name for candidate in ROBOTS)
    raise Failure(f"cannot make the environment '{name}': the reference knows {known}")


def evaluate(
    act: Callable[[np.ndarray], np.ndarray], robot: Robot, episodes: int, seed: int
) -> dict:
    """Runs whole episodes and sums them up; episode i has the seed `seed + i`.

    The keys are those of `trajectory evaluate --json`, and mean the same.
    """
    environment = gymnasium.make(robot.gymnasium)
    seeds = [seed + episode for episode in range(episodes)]
    returns, lengths = [], []
    for episode_seed in seeds:
        observation, _ = environment.reset(seed=episode_seed)
        rewards, over = [], False
        while not over:
            action = act(observation)
            if not np.isfinite(action).all():
                raise Failure(
                    f"the policy gave {action.tolist()} in {robot.name} at step {len(rewards)}; "
                    "its training diverged"
                )
            observation, reward, terminated, truncated, _ = environment.step(action)
            rewards.append(float(reward))
            over = terminated or truncated
        returns.append(sum(rewards))
        lengths.append(len(rewards))
    environment.close()
    mean = float(np.mean(returns))
    scores = [robot.normalized_score(value) for value in returns]
    return {
        "environment": robot.name,
        "seeds": seeds,
        "returns": returns,
        "lengths": lengths,
        "mean_return": mean,
        # Divides by the number of episodes.
        "standard_deviation": float(np.std(returns)),
        "normalized_score": robot.normalized_score(mean),
        "normalized_score_error": standard_error(scores),
    }


def standard_error(values: list[float]) -> float | None:
    """Of the mean; None of a single value."""
    if len(values) < 2:
        return None
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))
