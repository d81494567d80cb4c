"""What computes: the processor or a card, here the emulated one that Swift's tests run on."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import numpy as np
import pytest

import trajectory_transformer as tt

EMULATED = pathlib.Path(os.environ.get("TRAJECTORY", "")).parent / "libEmulatedCUDA.so"
SEARCH: dict[str, Any] = {"horizon": 2, "beam_width": 2}


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    if not EMULATED.exists():
        pytest.skip("the emulated card is not built")
    monkeypatch.setenv("TRAJECTORY_CUDA_DRIVER", str(EMULATED))
    # Engines are kept for a process: the next test may find another card, or none.
    monkeypatch.setattr("trajectory_transformer._library._engines", {})


@pytest.fixture
def none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAJECTORY_CUDA_DRIVER", "/nowhere/libcuda.so.1")
    monkeypatch.setattr("trajectory_transformer._library._engines", {})


def test_a_card_plans_what_the_processor_plans(model: tt.Model, observation: np.ndarray, emulated: None) -> None:
    card = model.planner(device="cuda", **SEARCH).plan(observation)
    processor = model.planner(device="cpu", **SEARCH).plan(observation)
    assert np.array_equal(card.actions, processor.actions)
    assert np.allclose(card.values, processor.values, rtol=1e-4)


def test_a_card_trains_as_the_processor_does(dataset: tt.Dataset, emulated: None) -> None:
    small: dict[str, Any] = {"steps": 2, "batch_size": 2, "layers": 1, "heads": 2, "width": 16, "window": 2, "bins": 20}
    losses = []
    for device in ("cuda", "cpu"):
        with tt.Trainer(dataset, device=device, report_every=0, dropout=0, **small) as trainer:
            losses.append([progress.loss for progress in trainer])
    assert np.allclose(losses[0], losses[1], rtol=1e-4)


def test_the_compiler_of_an_installed_package_is_found(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trajectory_transformer import _library

    names = ("libnvrtc.so.12", "libnvrtc.so.13", "libnvrtc.alt.so.13", "libnvrtc-builtins.so.13")
    folder = tmp_path / "nvidia" / "cu" / "lib"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert [file.name for file in _library._compilers()] == ["libnvrtc.so.13", "libnvrtc.so.12"]
    # What cannot be opened is passed over.
    _library._open_compiler()


def test_without_a_card_auto_is_the_processor(model: tt.Model, observation: np.ndarray, none: None) -> None:
    assert np.isfinite(model.planner(device="auto", **SEARCH).act(observation)).all()
    with pytest.raises(tt.TrajectoryError, match="no CUDA driver can be loaded"):
        model.planner(device="cuda", **SEARCH)


def test_devices_that_cannot_be(model: tt.Model) -> None:
    with pytest.raises(tt.OptionError, match="device cannot be 'abacus': give one of cpu, cuda, auto"):
        model.planner(device="abacus")  # type: ignore[arg-type]
    with pytest.raises(tt.OptionError, match="workers cannot be 2: a card has none"):
        model.planner(device="cuda", workers=2)
