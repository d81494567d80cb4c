"""Offline reinforcement learning as sequence modelling: the Trajectory Transformer (Janner, Li, Levine 2021).

    import trajectory_transformer as tt

    model = tt.load("hopper")                           # the model that the package carries, or a run's folder
    planner = model.planner(horizon=5, beam_width=16)
    action = planner.act(observation)                   # then: planner.observe(reward, terminated, truncated)
    results = tt.rollout(env, planner, episodes=10)

    dataset = tt.Dataset.from_minari(minari_dataset)
    model = tt.train(dataset, output="runs/mine", steps=5000)

All exceptions derive from `TrajectoryError`.
"""

from importlib.metadata import version as _version

from .dataset import Dataset
from .errors import (
    CheckpointError,
    DataError,
    ForkedError,
    MemoryNeedError,
    OptionError,
    PlanningError,
    TrainingError,
    TrajectoryError,
)
from .model import Discretizer, Model, load, models
from .planner import Candidate, Plan, Planner
from .rollouts import Rollouts, rollout
from .training import Progress, Trainer, train

__version__ = _version("trajectory-transformer")

__all__ = [
    "Candidate",
    "CheckpointError",
    "DataError",
    "Dataset",
    "Discretizer",
    "ForkedError",
    "MemoryNeedError",
    "Model",
    "OptionError",
    "Plan",
    "Planner",
    "PlanningError",
    "Progress",
    "Rollouts",
    "Trainer",
    "TrainingError",
    "TrajectoryError",
    "load",
    "models",
    "rollout",
    "train",
]
