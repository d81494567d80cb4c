"""Gymnasium's spaces, known by their names, so that Gymnasium need not be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

#: Spaces of a few whole numbers, each of which becomes a token as it is.
DISCRETE = ("Discrete", "MultiDiscrete", "MultiBinary")


def kind(space: Any) -> str:
    """The name of a space's class."""
    return type(space).__name__


def values(space: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The smallest value of each number of a discrete space, and how many there are."""
    if kind(space) == "MultiBinary":
        counts = np.full(int(np.prod(space.shape)), 2, np.int64)
    else:
        counts = np.asarray(space.n if kind(space) == "Discrete" else space.nvec, np.int64).reshape(-1)
    starts = np.asarray(getattr(space, "start", 0), np.int64)
    return np.broadcast_to(starts.reshape(-1), counts.shape), counts


def order(keys: Any) -> list[str]:
    """Keys of a dictionary in the order of the columns: what the agent itself is like first."""
    return sorted(keys, key=lambda key: (key != "observation", key))


def parts(space: Any, keys: Sequence[str] | None) -> Any:
    """A space; of a dictionary's those of `keys`, as a list, where some are named."""
    return space if space is None or keys is None else [space.spaces[key] for key in keys]


def discrete_columns(space: Any, first: int) -> tuple[int, list[dict[str, int]]]:
    """Width of a space whose columns begin at `first`, and those of them that are discrete."""
    name = kind(space)
    if isinstance(space, list) or name in ("Dict", "Tuple"):
        held = space if isinstance(space, list) else space.spaces
        inner = [held[key] for key in order(held)] if isinstance(held, Mapping) else list(held)
        width, columns = 0, []
        for part in inner:
            wide, found = discrete_columns(part, first + width)
            width += wide
            columns += found
        return width, columns
    if name not in DISCRETE:
        return int(np.prod(getattr(space, "shape", None) or ())), []
    starts, counts = values(space)
    return len(counts), [
        {"column": first + index, "start": int(start), "count": int(count)}
        for index, (start, count) in enumerate(zip(starts, counts))
    ]
