"""Acting and planning by beam search."""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import numpy as np
import numpy.typing as npt

from . import _library, _spaces
from ._arguments import flag, number, text, whole
from .errors import ForkedError, OptionError, PlanningError, keyword
from .model import Model

# Options that are whole numbers, numbers and flags; the others are texts.
_WHOLE = {
    "horizon",
    "beam_width",
    "expansion_factor",
    "observation_top_k",
    "action_top_k",
    "reward_top_k",
    "likelihood_top_k",
    "averaged_rows",
    "context_transitions",
    "replan_interval",
    "return_level",
}
_NUMBERS = {
    "observation_cdf",
    "action_cdf",
    "reward_cdf",
    "unlikely_share",
    "likelihood_weight",
    "level_guidance",
    "deadline_ms",
    "temperature",
    "discount",
    "readout",
}
# Of these, those that may be "all".
_LIMITS = {
    "observation_top_k",
    "action_top_k",
    "reward_top_k",
    "likelihood_top_k",
    "observation_cdf",
    "action_cdf",
    "reward_cdf",
}
_FLAGS = {"warm_start", "authors_quirks"}
# Options that the library calls otherwise than by their words.
_PROPERTIES = {
    "observation_cdf": "observationCDF",
    "action_cdf": "actionCDF",
    "reward_cdf": "rewardCDF",
    "deadline_ms": "deadlineMilliseconds",
}


def property_name(name: str) -> str:
    """What the library calls the option of a keyword argument."""
    first, *words = name.split("_")
    return _PROPERTIES.get(name) or first + "".join(word.capitalize() for word in words)


@dataclass(frozen=True)
class Candidate:
    """Another sequence that was still in the beam at the end."""

    #: (H, D): tokens of the planned transitions.
    tokens: npt.NDArray[np.int32]
    #: What it was ranked by.
    score: float


@dataclass(frozen=True)
class Plan:
    """The sequence of H transitions that a planner found best; the first holds the present observation."""

    #: (H, O): the present observation and those predicted after it, in the data's units.
    observations: npt.NDArray[np.float64]
    #: (H, A): actions, not clipped to any limits.
    actions: npt.NDArray[np.float64]
    #: (H,): predicted reward of each transition.
    rewards: npt.NDArray[np.float64]
    #: (H,): predicted discounted return after each transition.
    values: npt.NDArray[np.float64]
    #: What it was ranked by: discounted rewards and the last value, or the logarithm of the likelihood.
    score: float
    #: (H, D): tokens.
    tokens: npt.NDArray[np.int32]
    #: The beam at the end, best first; the first one is this plan.
    candidates: list[Candidate]
    #: What the search cost; `seconds` is wall-clock time.
    statistics: dict[str, float]


class Planner:
    """Acts by planning, in one environment or several at once; made by `Model.planner`.

    A step is `act(observation)`, then `observe(reward, terminated, truncated)`. It keeps the past transitions of
    every environment, since plans depend on them. `plan` looks at what would be planned and changes nothing.
    Threads may share a planner: `act` and `observe` of one take turns, `plan` runs side by side.
    """

    def __init__(
        self,
        model: Model,
        options: Mapping[str, Any],
        *,
        critic: str | os.PathLike[str] | None,
        num_envs: int | None,
        action_space: Any,
        autoreset: Any,
        dtype: npt.DTypeLike,
        seed: int,
        workers: int | None,
        device: str,
        precision: str,
    ) -> None:
        self.model = model
        #: Environments of the vector; None for a single one.
        self.num_envs = whole("num_envs", num_envs)
        #: "next_step", "same_step" or "disabled".
        self.autoreset = _autoreset(autoreset)
        self._dtype = np.dtype(dtype)
        if self._dtype.kind != "f":
            raise OptionError(f"dtype cannot be {self._dtype}: give a type of floating point")
        low, high = action_limits(action_space, model, self.num_envs)
        self._kind = _spaces.kind(action_space) if action_space is not None else "Box"
        #: (A,): the limits that actions are clipped to.
        self.action_low, self.action_high = low, high
        if critic is not None and _library.is_forked():
            raise ForkedError(
                "a critic computes on threads that a forked process does not have; start processes by "
                "multiprocessing's 'spawn' or 'forkserver'"
            )
        request = json.dumps(_request(options)).encode()
        self._rows = 1 if self.num_envs is None else self.num_envs
        limits = np.ascontiguousarray(np.stack([low, high], axis=1))
        self._handle, answer = _library.made(
            "planner_new",
            model._handle.pointer,
            _library.engine(whole("workers", workers), device, precision).pointer,
            request,
            None if critic is None else os.fsencode(text("critic", os.fspath(critic))),
            _library.doubles(limits),
            model.action_dim,
            self._rows,
            computes=True,
        )
        for note in answer["notes"]:
            warnings.warn(note, stacklevel=3)
        self._options = answer["options"]
        self._turn = threading.RLock()
        self.reset(seed=seed)

    @property
    def options(self) -> dict[str, Any]:
        """How it searches, complete; what has no limit and no value is left out."""
        return {keyword(name): value for name, value in self._options.items()}

    # MARK: - Acting

    def reset(self, seed: int | None = None) -> None:
        """Begins an episode in all environments: forgets their pasts, not their goals.

        Environment i begins with `seed + i`, later episodes with the numbers after; without a seed they go on from
        where they are. The actions of an episode depend on its seed, its goal and what is observed alone (under a
        deadline also on the machine's speed).
        """
        first = whole("seed", seed, unsigned=True)
        with self._turn:
            if first is not None:
                self._next_seed = first
            #: Rows whose episode has ended and whose environment is reset by the next step.
            self._over = np.zeros(self._rows, bool)
            self._begin(np.arange(self._rows))

    def _begin(self, rows: npt.NDArray[Any]) -> None:
        places = np.ascontiguousarray(rows, np.int32)
        seeds = np.array([(self._next_seed + i) % 2**64 for i in range(len(places))], np.uint64)
        self._next_seed += len(places)
        _library.plain("planner_reset", self._handle.pointer, _library.ints(places), _library.seeds(seeds), len(places))

    def set_goal(self, goal: npt.ArrayLike) -> None:
        """Says what to reach from now on: values for `model.goal_columns`, (G,), or (num_envs, G).

        An observation that is a dictionary with a `desired_goal` says it by itself.
        """
        rows = self._goals(goal, self._rows)
        places = np.arange(self._rows, dtype=np.int32)
        with self._turn:
            self._set_goals(places, rows)

    def _set_goals(self, places: npt.NDArray[np.int32], goals: npt.NDArray[np.float64]) -> None:
        goals = np.ascontiguousarray(goals)
        _library.ask(
            "planner_set_goals",
            self._handle.pointer,
            _library.ints(places),
            _library.doubles(goals),
            len(places),
            goals.shape[1],
        )

    def act(self, observation: Any) -> npt.NDArray[Any]:
        """The action for an observation: (O,) to (A,); with `num_envs` (N, O) to (N, A).

        Any type of number goes in; out comes the planner's `dtype`, within the limits. A dictionary of arrays, as
        goal environments of Gymnasium-Robotics give, is joined, or its `observation` is taken for a model that was
        trained on that alone. With an `action_space` of whole numbers actions are integers, of `Discrete` without an
        axis. Ctrl-C ends the search, and nothing is decided then.

        Raises `PlanningError` where the observation is not the model's or not finite, a goal is missing, or the
        reward of the action before is not known yet.
        """
        rows, goals = self._observed(observation)
        with self._turn:
            places = np.flatnonzero(~self._over).astype(np.int32)
            if goals is not None and len(places):
                self._set_goals(places, goals[places])
            actions = np.clip(np.zeros((self._rows, self.model.action_dim)), self.action_low, self.action_high)
            if len(places):
                given = np.ascontiguousarray(rows[places])
                decided = np.empty((len(places), self.model.action_dim))
                handle = self._handle.pointer
                _library.interruptible(
                    lambda stop: _library.ask(
                        "planner_act",
                        handle,
                        stop.pointer,
                        _library.ints(places),
                        _library.doubles(given),
                        _library.doubles(decided),
                        len(places),
                    )
                )
                actions[places] = decided
        if self._kind in _spaces.DISCRETE:
            # What is decoded are whole numbers; Discrete has no axis for its one number.
            actions = np.rint(actions[:, 0] if self._kind == "Discrete" else actions)
            result = actions.astype(np.int64)
        else:
            result = actions.astype(self._dtype)
        return result[0] if self.num_envs is None else result

    def observe(
        self,
        reward: SupportsFloat | npt.ArrayLike,
        terminated: bool | npt.ArrayLike = False,
        truncated: bool | npt.ArrayLike = False,
    ) -> None:
        """Takes note of what the last action brought: numbers, or arrays (num_envs,) for a vector.

        Where an episode has ended the next `act` begins another.
        """
        rewards = self._row_values("reward", reward, np.float64)
        ended = self._row_values("terminated", terminated, bool) | self._row_values("truncated", truncated, bool)
        with self._turn:
            places = np.flatnonzero(~self._over).astype(np.int32)
            given = np.ascontiguousarray(rewards[places])
            if len(places):
                _library.ask(
                    "planner_observe",
                    self._handle.pointer,
                    _library.ints(places),
                    _library.doubles(given),
                    len(places),
                )
            fresh = self._over
            waits = self.num_envs is not None and self.autoreset == "next_step"
            self._over = ended & ~fresh if waits else np.zeros(self._rows, bool)
            begun = np.flatnonzero(fresh if waits else ended)
            if len(begun):
                self._begin(begun)

    # MARK: - Planning

    def plan(
        self, observation: Any, *, seed: int | Sequence[int] | npt.NDArray[Any] = 0, goal: npt.ArrayLike | None = None
    ) -> Any:
        """Plans from the past and an observation, and changes nothing: a `Plan`, or a list of them for a vector.

        `seed` decides on what is sampled (one for all, or one for each environment), `goal` stands for the one that
        was set. May be called from several threads at once, which plan side by side.
        """
        rows, goals = self._observed(observation)
        if goal is not None:
            goals = self._goals(goal, self._rows)
        numbers: list[Any] = [seed] * self._rows if np.ndim(seed) == 0 else list(np.asarray(seed))
        if len(numbers) != self._rows:
            raise OptionError(f"seed cannot be {len(numbers)} numbers: give one, or one for each environment")
        seeds = np.array([whole("seed", one, unsigned=True) for one in numbers], np.uint64)
        places = np.arange(self._rows, dtype=np.int32)
        given = np.ascontiguousarray(rows)
        wanted = None if goals is None else np.ascontiguousarray(goals)
        handle = self._handle.pointer
        answers = _library.interruptible(
            lambda stop: _library.ask(
                "planner_plan",
                handle,
                stop.pointer,
                _library.ints(places),
                _library.doubles(given),
                _library.seeds(seeds),
                None if wanted is None else _library.doubles(wanted),
                0 if wanted is None else wanted.shape[1],
                self._rows,
            )
        )
        plans = [_plan(answer) for answer in answers]
        return plans[0] if self.num_envs is None else plans

    # MARK: - Arrays

    def _observed(self, observation: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
        """Observations as rows, and goals where they are among them."""
        goals = None
        if isinstance(observation, Mapping):
            if self.model.goal_columns and "desired_goal" in observation:
                goals = self._goals(observation["desired_goal"], self._rows)
            observation = self._joined(observation)
        try:
            array = np.asarray(observation, np.float64)
        except (TypeError, ValueError) as error:
            raise PlanningError(f"cannot plan: the observation is no array of numbers: {error}") from None
        width = self.model.observation_dim
        expected = (width,) if self.num_envs is None else (self._rows, width)
        if width == 1 and array.shape == expected[:-1]:
            # Of a Discrete space.
            array = array.reshape(expected)
        if array.shape != expected:
            raise PlanningError(f"cannot plan: the observation has the shape {array.shape}, expected {expected}")
        return array.reshape(self._rows, width), goals

    def _joined(self, observation: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        width = self.model.observation_dim
        parts = [np.asarray(observation[key], np.float64) for key in _spaces.order(observation)]
        lead = () if self.num_envs is None else (self._rows,)
        joined = np.concatenate([part.reshape(*lead, -1) for part in parts], axis=-1)
        if joined.shape[-1] != width and "observation" in observation:
            alone = np.asarray(observation["observation"], np.float64)
            if alone.shape[-1:] == (width,):
                return alone
        return joined

    def _goals(self, goal: npt.ArrayLike, count: int) -> npt.NDArray[np.float64]:
        width = len(self.model.goal_columns)
        if not width:
            raise PlanningError("cannot plan: the model was trained without goals; leave the goal out")
        array = np.asarray(goal, np.float64)
        if array.shape == (width,):
            array = np.broadcast_to(array, (count, width))
        if array.shape != (count, width):
            raise PlanningError(f"cannot plan: the goal has the shape {array.shape}, expected ({width},)")
        return np.ascontiguousarray(array)

    def _row_values(self, name: str, value: Any, dtype: Any) -> npt.NDArray[Any]:
        try:
            array = np.asarray(value, dtype)
        except (TypeError, ValueError):
            raise PlanningError(f"cannot plan: {name} is no number, nor an array of them") from None
        if (self.num_envs is None and array.size == 1) or array.ndim == 0:
            return np.broadcast_to(array.reshape(-1), (self._rows,))
        if array.shape != (self._rows,):
            raise PlanningError(f"cannot plan: {name} has the shape {array.shape}, expected ({self._rows},)")
        return array

    def __repr__(self) -> str:
        size = f"horizon {self._options['horizon']}, {self._options['beamWidth']} beams"
        place = "one environment" if self.num_envs is None else f"{self.num_envs} environments"
        return f"<Planner of {self.model.name!r}: {size}, in {place}>"


def _request(options: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, under the library's names."""
    request: dict[str, Any] = {}
    for name, value in options.items():
        if value is None or (name == "readout" and value == "mean"):
            continue
        if name in _LIMITS and isinstance(value, str) and value == "all":
            pass
        elif name in _WHOLE:
            value = whole(name, value)
        elif name in _NUMBERS:
            value = number(name, value)
        elif name in _FLAGS:
            value = flag(name, value)
        else:
            value = text(name, value)
        request[property_name(name)] = value
    return request


def _autoreset(mode: Any) -> str:
    names = {"NextStep": "next_step", "SameStep": "same_step", "Disabled": "disabled"}
    value = getattr(mode, "value", mode)
    name = names.get(value, value) if isinstance(value, str) else value
    if name not in names.values():
        raise OptionError(f"autoreset cannot be {mode!r}: give next_step, same_step or disabled")
    return str(name)


def action_limits(
    space: Any, model: Model, rows: int | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The limits of each action dimension: a space's, else those of what the model was trained on."""
    width = model.action_dim
    if space is None:
        low, high = np.full(width, -1.0), np.full(width, 1.0)
        for column in model.tokenization.get("discrete") or []:
            place = column["column"] - model.observation_dim
            if place >= 0:
                low[place], high[place] = column["start"], column["start"] + column["count"] - 1
        return low, high
    if _spaces.kind(space) in _spaces.DISCRETE:
        starts, counts = _spaces.values(space)
        low, high = starts.astype(np.float64), (starts + counts - 1).astype(np.float64)
    else:
        try:
            low, high = np.asarray(space.low, np.float64), np.asarray(space.high, np.float64)
        except (AttributeError, TypeError, ValueError):
            raise OptionError(
                f"action_space cannot be {space!r}: give a space of Gymnasium, which limits the actions"
            ) from None
    # Of a vector the limits come once for each environment.
    shape: tuple[int, ...] = low.shape
    if shape == (rows, width) and (low == low[0]).all() and (high == high[0]).all():
        low, high = low[0], high[0]
    if low.shape != (width,) or high.shape != (width,):
        raise OptionError(f"action_space cannot be {space!r}: the model was trained for {width} action dimensions")
    return low, high


def _plan(answer: dict[str, Any]) -> Plan:
    return Plan(
        observations=np.array(answer["observations"]),
        actions=np.array(answer["actions"]),
        rewards=np.array(answer["rewards"]),
        values=np.array(answer["values"]),
        score=float(answer["score"]),
        tokens=np.array(answer["tokens"], np.int32),
        candidates=[
            Candidate(np.array(other["tokens"], np.int32), float(other["score"])) for other in answer["candidates"]
        ],
        statistics=dict(answer["statistics"]),
    )
