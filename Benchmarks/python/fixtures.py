"""Reads the golden data that the Swift tests use."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model import Configuration

TESTS = Path(__file__).resolve().parents[2] / "Tests"
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I32": "<i4", "U8": "u1"}


def read_json(name: str) -> dict:
    """A JSON file, such as "TransformerTests/model_tiny"."""
    return json.loads(_path(name, "json").read_text())


def read_tensors(name: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file; half floats become float32, integers int64."""
    data = _path(name, "safetensors").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for key, entry in header.items():
        begin, end = (start + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensor = torch.from_numpy(array.copy())
        if tensor.dtype == torch.float16:
            tensor = tensor.float()
        tensors[key] = tensor if tensor.is_floating_point() else tensor.long()
    return tensors


def configuration(description: dict) -> Configuration:
    """The configuration of a fixture, without dropout."""
    config = description["config"]
    return Configuration(
        observation_dimension=config["observation_dim"],
        action_dimension=config["action_dim"],
        bins=config["vocab_size"],
        layers=config["n_layer"],
        heads=config["n_head"],
        width=config["n_embd"],
        transitions=(config["block_size"] + 1) // config["transition_dim"],
        dropout=0,
        action_weight=config["action_weight"],
        reward_weight=config["reward_weight"],
        value_weight=config["value_weight"],
    )


def _path(name: str, suffix: str) -> Path:
    folder, file = name.split("/")
    return TESTS / folder / "Fixtures" / f"{file}.{suffix}"
