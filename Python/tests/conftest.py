"""What the tests share."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

import trajectory_transformer as tt


@pytest.fixture(scope="session")
def model() -> tt.Model:
    """The model that the package carries."""
    return tt.load("hopper")


@pytest.fixture(scope="session")
def observation() -> np.ndarray:
    """Hopper standing."""
    return np.array([1.25] + [0.0] * 10)


@pytest.fixture(scope="session")
def tool() -> str:
    """The command line's program, which `make test-python` builds."""
    path = os.environ.get("TRAJECTORY", "")
    if not os.path.isfile(path):
        pytest.fail("TRAJECTORY does not name the program 'trajectory'; run 'make test-python'")
    return path


@pytest.fixture
def in_process(tmp_path: pathlib.Path) -> Callable[..., str]:
    """Runs a program in a Python of its own, which must end well in time, and returns what it prints."""

    def run(program: str, timeout: float = 120) -> str:
        file = tmp_path / "program.py"
        file.write_text(program)
        # Started in a shell's background, all of this would ignore Ctrl-C, and hand that on.
        result = subprocess.run(
            [sys.executable, str(file)],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=tmp_path,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


def episodes(count: int = 30, length: int = 40, *, seed: int = 0, width: int = 2) -> dict[str, np.ndarray]:
    """Episodes of a point that is pushed about, as a D4RL dictionary."""
    random = np.random.default_rng(seed)
    rows: dict[str, list[np.ndarray]] = {"observations": [], "actions": [], "rewards": [], "timeouts": []}
    for _ in range(count):
        place = random.uniform(-1, 1, width)
        for step in range(length):
            action = random.uniform(-1, 1, width)
            rows["observations"].append(np.concatenate([place, [step / length]]))
            rows["actions"].append(action)
            place = np.clip(place + 0.1 * action, -2, 2)
            rows["rewards"].append(-np.square(place).sum())
            rows["timeouts"].append(np.array(step == length - 1))
    arrays = {name: np.array(values) for name, values in rows.items()}
    arrays = {name: values.astype(np.float32) if name != "timeouts" else values for name, values in arrays.items()}
    arrays["terminals"] = np.zeros(count * length, bool)
    return arrays


SMALL = {"layers": 1, "heads": 2, "width": 16, "window": 4, "batch_size": 8, "steps": 12, "seed": 3}


@pytest.fixture(scope="session")
def dataset() -> tt.Dataset:
    """A small dataset."""
    return tt.Dataset.from_d4rl(episodes())


@pytest.fixture(scope="session")
def small(dataset: tt.Dataset) -> tt.Model:
    """A small model with goals in columns 0 and 1, trained for a moment."""
    return tt.train(dataset, goal_columns=[0, 1], **SMALL)
