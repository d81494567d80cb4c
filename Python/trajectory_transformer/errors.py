"""The exceptions of the package: one family, whose messages say what went wrong, where, and what to do."""

from __future__ import annotations


class TrajectoryError(Exception):
    """Whatever this package refuses or fails at; all its exceptions derive from it."""


class OptionError(TrajectoryError, ValueError):
    """A keyword argument that cannot be."""


class CheckpointError(TrajectoryError):
    """A checkpoint or a critic that is missing, damaged, or not what it is used for."""


class DataError(TrajectoryError, ValueError):
    """Data that cannot be used: shapes that do not fit, numbers that are not finite, too few rows."""


class PlanningError(TrajectoryError):
    """A plan that could not be made: an observation that is not the model's, a missing goal or reward."""


class TrainingError(TrajectoryError):
    """A run that could not begin, go on, or end well."""


class MemoryNeedError(TrajectoryError, MemoryError):
    """More memory would be needed than the machine has."""


class ForkedError(TrajectoryError, RuntimeError):
    """Something that computes was made before the process was forked; threads do not survive that."""


_KINDS: dict[str, type[TrajectoryError]] = {
    "option": OptionError,
    "checkpoint": CheckpointError,
    "data": DataError,
    "planning": PlanningError,
    "cancelled": PlanningError,
    "training": TrainingError,
    "memory": MemoryNeedError,
}

# Settings that are not called as their keyword argument is.
_NAMES = {
    "deadlineMilliseconds": "deadline_ms",
    "observationCDF": "observation_cdf",
    "actionCDF": "action_cdf",
    "rewardCDF": "reward_cdf",
    "layerCount": "layers",
    "headCount": "heads",
    "embeddingWidth": "width",
    "embeddingDropout": "dropout",
    "windowLength": "window",
    "contextLength": "window",
    "binCount": "bins",
    "keepsBest": "keep_best",
    "critic": "critic",
}


def keyword(name: str) -> str:
    """The keyword argument of a setting: `beamWidth` is set by `beam_width`."""
    if name in _NAMES:
        return _NAMES[name]
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


def _worded(message: str) -> str:
    """A message in which settings are called as keyword arguments are."""
    words = message.split(" ")
    settings = set(_NAMES) | {
        "batchSize",
        "learningRate",
        "timeLimit",
        "actionWeight",
        "terminationPenalty",
        "goalColumns",
        "goalRule",
        "conditionColumns",
        "returnLevels",
        "evaluationInterval",
        "checkpointInterval",
    }
    return " ".join(keyword(word) if word in settings else word for word in words)


def from_failure(failure: dict[str, str]) -> TrajectoryError:
    """The exception for a failure that the library tells of."""
    kind = failure.get("kind", "other")
    message = failure.get("message", "the library failed without a word")
    if failure.get("remedy"):
        message = f"{keyword(failure['option'])} cannot be {failure['value']}: {failure['remedy']}"
    elif kind == "option":
        message = _worded(message)
    return _KINDS.get(kind, TrajectoryError)(message)
