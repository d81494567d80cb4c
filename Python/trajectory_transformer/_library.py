"""The shared library by ctypes: signatures, answers, threads, signals and forks.

ctypes releases the GIL for the time of every call, so several Python threads compute side by side.
"""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ._arguments import text
from .errors import ForkedError, TrajectoryError, from_failure

Result = TypeVar("Result")

_handle = ctypes.c_void_p
_handle_out = ctypes.POINTER(ctypes.c_void_p)
_text_out = ctypes.POINTER(ctypes.c_void_p)
_text = ctypes.c_char_p
_size = ctypes.c_ssize_t
_doubles = ctypes.POINTER(ctypes.c_double)
_floats = ctypes.POINTER(ctypes.c_float)
_ints = ctypes.POINTER(ctypes.c_int32)
_seeds = ctypes.POINTER(ctypes.c_uint64)
_bytes = ctypes.POINTER(ctypes.c_uint8)
#: Of progress as JSON.
Report = ctypes.CFUNCTYPE(None, ctypes.c_char_p)

# Of each function that answers: its arguments without the last, where the text of the answer goes.
_ANSWERING: dict[str, list[Any]] = {
    "engine_new": [_size, _text, _text, _handle_out],
    "model_load": [_text, _text, _handle_out],
    "model_save": [_handle, _text],
    "model_with_values": [_handle, _floats, _size, _handle_out],
    "planner_new": [_handle, _handle, _text, _text, _doubles, _size, _size, _handle_out],
    "planner_set_goals": [_handle, _ints, _doubles, _size, _size],
    "planner_act": [_handle, _handle, _ints, _doubles, _doubles, _size],
    "planner_observe": [_handle, _ints, _doubles, _size],
    "planner_plan": [_handle, _handle, _ints, _doubles, _seeds, _doubles, _size, _size],
    "dataset_new": [_floats, _floats, _floats, _bytes, _bytes, _size, _size, _size, _size, _handle_out],
    "trainer_new": [_handle, _handle, _text, _text, _handle_out],
    "trainer_run": [_handle, _handle, ctypes.c_double, Report],
}
# Of the others: arguments and result.
_PLAIN: dict[str, tuple[list[Any], Any]] = {
    "text_free": ([ctypes.c_void_p], None),
    "release": ([_handle], None),
    "stop_new": ([], _handle),
    "stop_request": ([_handle], None),
    "model_values": ([_handle, _floats, _size], None),
    "model_edges": ([_handle, _doubles, _size], None),
    "planner_reset": ([_handle, _ints, _seeds, _size], None),
}


def _load() -> ctypes.CDLL:
    place = pathlib.Path(__file__).with_name("libTrajectoryTransformerC.so")
    try:
        library = ctypes.CDLL(str(place))
    except OSError as error:
        raise TrajectoryError(
            f"cannot load '{place}': {error}; the wheel is for Linux on x86-64 with glibc 2.35 or later"
        ) from error
    for name, arguments in _ANSWERING.items():
        function = getattr(library, f"trajectory_{name}")
        function.argtypes = [*arguments, _text_out]
        function.restype = ctypes.c_int32
    for name, (arguments, result) in _PLAIN.items():
        function = getattr(library, f"trajectory_{name}")
        function.argtypes = arguments
        function.restype = result
    return library


_library = _load()


def plain(name: str, *arguments: Any) -> Any:
    """Calls a function that cannot fail."""
    return getattr(_library, f"trajectory_{name}")(*arguments)


def ask(name: str, *arguments: Any) -> Any:
    """Calls a function and returns its answer; raises the exception of its failure."""
    text = ctypes.c_void_p()
    status = getattr(_library, f"trajectory_{name}")(*arguments, ctypes.byref(text))
    try:
        answer = json.loads(ctypes.string_at(text.value or 0))
    finally:
        plain("text_free", text)
    if status:
        raise from_failure(answer)
    return answer


# MARK: - Forks

# How often this process is a fork of one that had loaded the library.
_generation = 0


def _after_fork() -> None:
    global _generation, _executor, _engines, _executor_lock
    _generation += 1
    # The parent's threads are not in this process: what waits for them is left alone, never ended.
    _executor = None
    _executor_lock = threading.Lock()
    _engines = {}


os.register_at_fork(after_in_child=_after_fork)


def is_forked() -> bool:
    """Whether this process is a fork of one that had loaded the library."""
    return _generation > 0


class Handle:
    """A reference to something of the library, given back when nobody uses it any more.

    `computes`: whether it is of use only in the process that made it, as threads work for it.
    """

    def __init__(self, pointer: ctypes.c_void_p, *, computes: bool = False) -> None:
        self._pointer = pointer
        self._computes = computes
        self._generation = _generation

    @property
    def pointer(self) -> ctypes.c_void_p:
        if self._computes and self._generation != _generation:
            raise ForkedError(
                "it was made before this process was forked, and the threads that compute for it are the "
                "parent's; make it in the child (a model that was loaded before serves), or start processes by "
                "multiprocessing's 'spawn' or 'forkserver'"
            )
        return self._pointer

    def __del__(self) -> None:
        # A child gives back nothing that threads of its parent may be using.
        if not sys.is_finalizing() and self._generation == _generation:
            plain("release", self._pointer)


def made(name: str, *arguments: Any, computes: bool = False) -> tuple[Handle, Any]:
    """Calls a function that makes something; returns it with the answer."""
    pointer = ctypes.c_void_p()
    answer = ask(name, *arguments, ctypes.byref(pointer))
    return Handle(pointer, computes=computes), answer


_engines: dict[tuple[int, str, str], Handle] = {}
_engine_lock = threading.Lock()


def engine(workers: int | None, device: str, precision: str) -> Handle:
    """What computes: a thread on each core, or so many, or a card; started when first asked for."""
    key = workers or 0, text("device", device), text("precision", precision)
    if key not in _engines:
        if device != "cpu":
            _open_compiler()
        handle, _ = made("engine_new", key[0], key[1].encode(), key[2].encode(), computes=True)
        # Two threads may both have made one; one of them is given back.
        _engines.setdefault(key, handle)
    return _engines[key]


def _compilers() -> list[pathlib.Path]:
    """The NVRTC libraries of this Python's packages, such as PyTorch brings, the newest first."""
    folders = [pathlib.Path(folder) / "nvidia" for folder in sys.path if folder]
    found = (file for folder in folders for file in folder.glob("*/lib/libnvrtc.so.[0-9]*"))
    return sorted((file for file in found if ".alt." not in file.name), reverse=True)


def _open_compiler() -> None:
    """Opens the compiler of a card's kernels where a package has one, so that the library finds it by its name.

    The library looks in the environments that the shell knows, which need not be this one.
    """
    for file in _compilers():
        try:
            ctypes.CDLL(str(file))
        except OSError:
            continue
        return


# MARK: - Signals

_executor: ThreadPoolExecutor | None = None
_executor_lock = threading.Lock()


class Stop:
    """Ends, from another thread, a search or a run."""

    def __init__(self) -> None:
        self._handle = Handle(ctypes.c_void_p(plain("stop_new")))

    @property
    def pointer(self) -> ctypes.c_void_p:
        return self._handle.pointer

    def request(self) -> None:
        """Requests the end."""
        plain("stop_request", self._handle.pointer)


def interruptible(body: Callable[[Stop], Result]) -> Result:
    """Runs `body`, a long call, so that signals are answered meanwhile.

    Python runs handlers of signals on the main thread between bytecodes, so there a second thread makes the
    call while the main thread waits in Python; what a handler raises (Ctrl-C: KeyboardInterrupt) ends the search.
    """
    global _executor
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        return body(stop)
    with _executor_lock:
        if _executor is None:
            _executor = ThreadPoolExecutor(1, thread_name_prefix="trajectory-transformer")
        future = _executor.submit(body, stop)
    try:
        return future.result()
    except BaseException:
        stop.request()
        raise


# MARK: - Arrays


def doubles(array: npt.NDArray[np.float64]) -> Any:
    """The numbers of a contiguous array, for a call in which it stays alive."""
    return array.ctypes.data_as(_doubles)


def floats(array: npt.NDArray[np.float32]) -> Any:
    """As `doubles`."""
    return array.ctypes.data_as(_floats)


def ints(array: npt.NDArray[np.int32]) -> Any:
    """As `doubles`."""
    return array.ctypes.data_as(_ints)


def seeds(array: npt.NDArray[np.uint64]) -> Any:
    """As `doubles`."""
    return array.ctypes.data_as(_seeds)


def flags(array: npt.NDArray[np.uint8]) -> Any:
    """As `doubles`."""
    return array.ctypes.data_as(_bytes)
