"""Models: what is in them is what is in their files."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

import trajectory_transformer as tt


def tensors(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """A safetensors file of float32 tensors, read independently."""
    name = json.loads((folder / "checkpoint.json").read_text())["weights"]
    data = (folder / name).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    return {
        key: np.frombuffer(data[8 + length :][slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
        for key, entry in header.items()
        if key != "__metadata__" and entry["dtype"] == "F32"
    }


def test_the_state_is_that_of_the_file(model: tt.Model, tmp_path: pathlib.Path) -> None:
    model.save(tmp_path / "copy")
    kept = tensors(tmp_path / "copy")
    state = model.state_dict()
    assert set(state) == set(kept) - {"discretizer.edges"}
    for name, values in state.items():
        assert values.dtype == np.float32
        assert np.array_equal(values, kept[name])
    # One array, of which all are views.
    assert len({values.base.ctypes.data for values in state.values() if values.base is not None}) == 1


def test_names_are_looked_up(model: tt.Model, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model.save(tmp_path / "mine")
    monkeypatch.setenv("TRAJECTORY_CHECKPOINTS", str(tmp_path))
    assert tt.load("mine").step == model.step


def test_the_shape_is_known(model: tt.Model) -> None:
    assert (model.observation_dim, model.action_dim, model.step) == (11, 3, 8000)
    assert model.environment == "hopper-v4"
    assert model.config["layerCount"] == 3
    assert model.goal_columns == []
    edges = model.discretizer.edges
    assert edges.shape == (101, 16)
    assert (np.diff(edges, axis=0) >= 0).all()
    assert tt.models() == ["hopper"]
    assert "hopper" in repr(model)


def test_a_changed_state_is_another_model(model: tt.Model, observation: np.ndarray, tmp_path: pathlib.Path) -> None:
    state = model.state_dict()
    same = model.with_state_dict({**state, "blocks.0.attn.mask": np.zeros(3)})
    assert np.array_equal(same.planner().act(observation), model.planner().act(observation))
    state["head.weight"] *= -1
    other = model.with_state_dict(state)
    assert not np.array_equal(other.planner().act(observation), model.planner().act(observation))
    other.save(tmp_path / "other")
    read = tt.load(tmp_path / "other")
    assert np.array_equal(read.state_dict()["head.weight"], state["head.weight"])


def test_a_state_that_is_not_the_models_is_refused(model: tt.Model) -> None:
    state = model.state_dict()
    with pytest.raises(tt.CheckpointError, match=r"'pos_emb' is missing"):
        model.with_state_dict({key: value for key, value in state.items() if key != "pos_emb"})
    with pytest.raises(tt.CheckpointError, match=r"'pos_emb' has the shape \(3,\)"):
        model.with_state_dict({**state, "pos_emb": np.zeros(3)})
    with pytest.raises(tt.CheckpointError, match="no finite number"):
        model.with_state_dict({**state, "pos_emb": np.full_like(state["pos_emb"], np.nan)})


def test_what_is_no_checkpoint_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(tt.CheckpointError, match="none of that name with a checkpoint lies in"):
        tt.load("hoper")
    for source in ("", str(tmp_path / "nowhere")):
        with pytest.raises(tt.CheckpointError):
            tt.load(source)
    with pytest.raises(tt.CheckpointError, match=r"there is no checkpoint\.json in it"):
        tt.load(tmp_path)
    with pytest.raises(tt.OptionError):
        tt.load("a\0b")
    tt.load("hopper").save(tmp_path)
    weights = next(tmp_path.glob("weights-*"))
    weights.write_bytes(weights.read_bytes()[:-40])
    with pytest.raises(tt.CheckpointError):
        tt.load(tmp_path)
