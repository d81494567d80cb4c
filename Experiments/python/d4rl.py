"""Reads D4RL-format HDF5 files, as `trajectory collect` writes them, for d3rlpy."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from failure import Failure


@dataclass(frozen=True)
class Steps:
    """All steps of a dataset, one after the other."""

    observations: np.ndarray
    """N × observation dimensions, float32, as the other numbers."""
    actions: np.ndarray
    """N × action dimensions."""
    rewards: np.ndarray
    """N."""
    terminals: np.ndarray
    """N truth values: the episode ended in a state without a future."""
    timeouts: np.ndarray
    """N truth values: the episode was cut there. No step is both, and the last one is either."""
    environment: str | None
    """What the file says it was collected in, such as hopper-v4."""


def read(path: Path) -> Steps:
    """The steps of a file.

    The flags are made such that d3rlpy sees the episodes that this project sees: where a file sets
    both, the step is terminal (d3rlpy refuses both), and data that break off are cut at their last
    row (d3rlpy would leave out all rows since the last flag).
    """
    if not path.is_file():
        raise Failure(f"cannot use '{path}': there is no such file; check the path")
    try:
        with h5py.File(path) as file:
            observations = _matrix(file, path, "observations")
            rows = len(observations)
            actions = _matrix(file, path, "actions", rows)
            rewards = _column(file, path, "rewards", rows)
            terminals = _column(file, path, "terminals", rows) != 0
            timeouts = _column(file, path, "timeouts", rows) != 0
            environment = file.attrs.get("environment")
    except OSError as error:
        raise Failure(f"cannot read '{path}': {_line(error)}") from error
    timeouts &= ~terminals
    timeouts[-1] = not terminals[-1]
    if isinstance(environment, bytes):
        environment = environment.decode(errors="replace")
    return Steps(observations, actions, rewards, terminals, timeouts, environment)


def _numbers(file: h5py.File, path: Path, field: str) -> np.ndarray:
    dataset = file.get(field)
    if not isinstance(dataset, h5py.Dataset):
        remedy = (
            "; write the file anew with `trajectory dataset convert --max-episode-length`"
            if field == "timeouts"
            else "; D4RL's format is wanted"
        )
        raise Failure(f"cannot use '{path}': there is no '{field}' in it{remedy}")
    if dataset.dtype.kind not in "fiub":
        raise Failure(f"cannot use '{path}': '{field}' is of type {dataset.dtype}")
    array = dataset[...].astype(np.float32)
    if not np.isfinite(array).all():
        raise Failure(f"cannot use '{path}': '{field}' has NaN or infinity in it")
    return array


def _matrix(file: h5py.File, path: Path, field: str, rows: int | None = None) -> np.ndarray:
    array = _numbers(file, path, field)
    if array.ndim != 2 or 0 in array.shape or rows not in (None, len(array)):
        wanted = f"[{'N' if rows is None else rows}, columns]"
        raise Failure(
            f"cannot use '{path}': '{field}' has the shape {list(array.shape)}, not {wanted}"
        )
    return array


def _column(file: h5py.File, path: Path, field: str, rows: int) -> np.ndarray:
    array = _numbers(file, path, field)
    if array.shape not in [(rows,), (rows, 1)]:
        raise Failure(
            f"cannot use '{path}': '{field}' has the shape {list(array.shape)}, not [{rows}]"
        )
    return array.reshape(rows)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
