"""Keyword arguments made what the library takes, NumPy's numbers included."""

from __future__ import annotations

import operator
from typing import Any, SupportsFloat, SupportsIndex

from .errors import OptionError


def whole(name: str, value: SupportsIndex | None, *, unsigned: bool = False) -> int | None:
    """An integer, which NumPy's are too; None stays None."""
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        raise OptionError(f"{name} cannot be {value!r}: give a whole number") from None
    low, high = (0, 2**64) if unsigned else (-(2**63), 2**63)
    if isinstance(value, bool) or not low <= number < high:
        raise OptionError(f"{name} cannot be {value!r}: give a whole number" + (" from 0 up" if unsigned else ""))
    return number


def number(name: str, value: SupportsFloat | None) -> float | None:
    """A finite number; None stays None."""
    if value is None:
        return None
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise OptionError(f"{name} cannot be {value!r}: give a number") from None
    if result != result or result in (float("inf"), float("-inf")):
        raise OptionError(f"{name} cannot be {value!r}: give a finite number")
    return result


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if value is not True and value is not False and type(value).__name__ not in ("bool", "bool_"):
        raise OptionError(f"{name} cannot be {value!r}: give True or False")
    return bool(value)


def text(name: str, value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise OptionError(f"{name} cannot be {value!r}: give a text")
    if "\0" in value:
        raise OptionError(f"{name} cannot be {value!r}: it holds a null character")
    return value
