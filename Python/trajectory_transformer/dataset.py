"""Logged episodes, from arrays, D4RL's dictionaries and Minari's datasets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from . import _library, _spaces
from ._arguments import whole
from .errors import DataError


class Dataset:
    """Episodes to train on; made by `from_arrays`, `from_d4rl` and `from_minari`.

    Numbers are kept in single precision, as in D4RL's files, in memory of the library's own.
    """

    def __init__(
        self, handle: _library.Handle, answer: dict[str, Any], widths: tuple[int, int], discrete: list[dict[str, int]]
    ) -> None:
        self._handle = handle
        #: Columns of observation and action that hold one of a few whole numbers, each with `start` and `count`.
        self.discrete = discrete
        self._answer = answer
        #: Numbers of an observation and of an action.
        self.observation_dim, self.action_dim = widths

    @classmethod
    def from_arrays(
        cls,
        *,
        observations: npt.ArrayLike,
        actions: npt.ArrayLike,
        rewards: npt.ArrayLike,
        terminals: npt.ArrayLike,
        timeouts: npt.ArrayLike | None,
        max_episode_length: SupportsIndex | None = None,
        observation_space: Any = None,
        action_space: Any = None,
    ) -> Dataset:
        """Cuts rows, one for each step in time order, into episodes.

        - `observations`: (T, O), before each action; `actions`: (T, A); `rewards`: (T,), after it.
        - `terminals`: (T,), true in rows that reach a terminal state.
        - `timeouts`: (T,), true in rows after which a time limit cut the episode; None where there was none.
        - `max_episode_length`: cuts longer episodes, which counts as a time limit.
        - `observation_space`, `action_space`: of Gymnasium; numbers of `Discrete`, `MultiDiscrete` and `MultiBinary`
          spaces become tokens as they are, those of others are quantities.

        Raises `DataError` where shapes do not fit together; numbers that are not finite are refused in training.
        """
        arrays = {
            "observations": _rows("observations", _column(observations, observation_space), 2, np.float32),
            "actions": _rows("actions", _column(actions, action_space), 2, np.float32),
            "rewards": _rows("rewards", rewards, 1, np.float32),
            "terminals": _rows("terminals", terminals, 1, np.bool_),
        }
        if timeouts is not None:
            arrays["timeouts"] = _rows("timeouts", timeouts, 1, np.bool_)
        count = len(arrays["rewards"])
        for name, array in arrays.items():
            if len(array) != count:
                raise DataError(f"{name} has {len(array)} rows, rewards has {count}")
        longest = whole("max_episode_length", max_episode_length)
        if longest is not None and longest < 1:
            raise DataError(f"max_episode_length cannot be {longest}: give a whole number from 1 up")
        widths = arrays["observations"].shape[1], arrays["actions"].shape[1]
        discrete: list[dict[str, int]] = []
        for name, space, first, width in (
            ("observation_space", observation_space, 0, widths[0]),
            ("action_space", action_space, widths[0], widths[1]),
        ):
            if space is None:
                continue
            wide, columns = _spaces.discrete_columns(space, first)
            if columns and wide != width:
                raise DataError(f"{name} has {wide} numbers, the arrays have {width}")
            discrete += columns
        ends = arrays.get("timeouts")
        handle, answer = _library.made(
            "dataset_new",
            _library.floats(arrays["observations"]),
            _library.floats(arrays["actions"]),
            _library.floats(arrays["rewards"]),
            _library.flags(arrays["terminals"].view(np.uint8)),
            None if ends is None else _library.flags(ends.view(np.uint8)),
            count,
            *widths,
            longest or 0,
        )
        return cls(handle, answer, widths, discrete)

    @classmethod
    def from_d4rl(
        cls,
        data: Mapping[str, npt.ArrayLike],
        *,
        max_episode_length: SupportsIndex | None = None,
        no_time_limit: bool = False,
    ) -> Dataset:
        """A D4RL dictionary (`env.get_dataset()`, or the arrays of its HDF5 file).

        Takes `observations`, `actions`, `rewards`, `terminals` and `timeouts`; older files lack the last, for which
        `max_episode_length` (1000 in D4RL) or `no_time_limit` must say where episodes were cut.
        """
        missing = [name for name in ("observations", "actions", "rewards", "terminals") if name not in data]
        if missing:
            raise DataError(f"the dictionary has no '{missing[0]}'; it has {', '.join(data) or 'nothing'}")
        timeouts = data.get("timeouts")
        if timeouts is None and max_episode_length is None and not no_time_limit:
            raise DataError(
                "the dictionary has no 'timeouts'; say by max_episode_length after how many steps the time limit cut "
                "(1000 in D4RL's older files), or by no_time_limit that there was none"
            )
        if no_time_limit and (timeouts is not None or max_episode_length is not None):
            raise DataError("no_time_limit is for data without timeouts and without max_episode_length")
        return cls.from_arrays(
            observations=data["observations"],
            actions=data["actions"],
            rewards=data["rewards"],
            terminals=data["terminals"],
            timeouts=timeouts,
            max_episode_length=max_episode_length,
        )

    @classmethod
    def from_minari(
        cls,
        dataset: Any,
        *,
        observation_keys: Sequence[str] | None = None,
        max_episode_length: SupportsIndex | None = None,
    ) -> Dataset:
        """A Minari dataset (`minari.load_dataset(...)`), or any iterable of its episodes.

        Dictionaries of observations are joined, `observation` first and the others by name, or those named by
        `observation_keys`. An episode's last observation, after its last step, is left out.
        """
        episodes: Iterable[Any] = dataset.iterate_episodes() if hasattr(dataset, "iterate_episodes") else dataset
        parts: dict[str, list[npt.NDArray[Any]]] = {
            "observations": [],
            "actions": [],
            "rewards": [],
            "terminals": [],
            "timeouts": [],
        }
        for number, episode in enumerate(episodes):
            rewards = np.asarray(episode.rewards, np.float32).reshape(-1)
            steps = len(rewards)
            if not steps:
                continue
            place = f"episode {number}"
            ends = np.asarray(episode.truncations, bool).reshape(-1).copy()
            # The episode ends here in any case; the library tells an unfinished one by its last row, so it is cut.
            ends[-1] |= not bool(np.asarray(episode.terminations, bool).reshape(-1)[-1])
            parts["observations"].append(
                _joined(f"{place}, observations", episode.observations, steps, observation_keys)
            )
            parts["actions"].append(_joined(f"{place}, actions", episode.actions, steps, None))
            parts["rewards"].append(rewards)
            parts["terminals"].append(np.asarray(episode.terminations, bool).reshape(-1))
            parts["timeouts"].append(ends)
        if not parts["rewards"]:
            raise DataError("there are no episodes with steps in the dataset")
        try:
            arrays = {name: np.concatenate(arrays) for name, arrays in parts.items()}
        except ValueError as error:
            raise DataError(f"the episodes' observations or actions are not equally wide: {error}") from None
        return cls.from_arrays(
            observations=arrays["observations"],
            actions=arrays["actions"],
            rewards=arrays["rewards"],
            terminals=arrays["terminals"],
            timeouts=arrays["timeouts"],
            max_episode_length=max_episode_length,
            observation_space=_spaces.parts(getattr(dataset, "observation_space", None), observation_keys),
            action_space=getattr(dataset, "action_space", None),
        )

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Steps of each episode."""
        return np.array(self._answer["lengths"], np.int64)

    @property
    def returns(self) -> npt.NDArray[np.float64]:
        """Sum of the rewards of each episode, undiscounted."""
        return np.array([float(number) for number in self._answer["returns"]])

    @property
    def endings(self) -> list[str]:
        """How each episode ended: "terminal", "timeout" or "unfinished"."""
        return list(self._answer["endings"])

    def __len__(self) -> int:
        """Transitions of all episodes."""
        return int(self.lengths.sum())

    def __repr__(self) -> str:
        return (
            f"<Dataset: {len(self)} transitions in {len(self._answer['lengths'])} episodes, {self.observation_dim} "
            f"observation and {self.action_dim} action dimensions>"
        )


def _column(values: Any, space: Any) -> Any:
    """Numbers of a Discrete space as a column."""
    return np.asarray(values).reshape(-1, 1) if _spaces.kind(space) == "Discrete" else values


def _rows(name: str, values: npt.ArrayLike, dimensions: int, dtype: Any) -> npt.NDArray[Any]:
    """A contiguous array, copied only where it is not one of this type already."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "bifu":
            raise TypeError(f"its type is {array.dtype}")
        array = np.ascontiguousarray(array != 0 if dtype is np.bool_ else array, dtype)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is no array of numbers: {error}") from None
    if dimensions == 1 and array.ndim == 2 and array.shape[1] == 1:
        array = array.reshape(-1)
    if array.ndim != dimensions:
        shape = "(T, width)" if dimensions == 2 else "(T,)"
        raise DataError(f"{name} has the shape {array.shape}, expected {shape}")
    return array


def _joined(place: str, values: Any, steps: int, keys: Sequence[str] | None) -> npt.NDArray[np.float32]:
    """Arrays side by side, without rows after the last step."""
    if isinstance(values, Mapping):
        names = _spaces.order(values) if keys is None else list(keys)
        for name in names:
            if name not in values:
                raise DataError(f"{place}: there is no '{name}'; there are {', '.join(values)}")
        if not names:
            raise DataError(f"{place}: no keys were given; name one, or leave observation_keys out")
        return np.concatenate([_joined(f"{place}/{name}", values[name], steps, None) for name in names], axis=1)
    if keys is not None:
        raise DataError(f"{place}: observation_keys are for observations that are a dictionary")
    if isinstance(values, tuple):
        return np.concatenate([_joined(place, value, steps, None) for value in values], axis=1)
    array = np.asarray(values)
    if array.ndim == 1 and array.dtype.kind in "biu":
        # Of a Discrete space.
        array = array.reshape(-1, 1)
    if array.dtype.kind not in "bifu" or array.ndim < 2 or len(array) < steps:
        raise DataError(
            f"{place} is no array of numbers with a row for each of {steps} steps: {array.dtype}, {array.shape}"
        )
    return array[:steps].reshape(steps, -1).astype(np.float32, copy=False)
