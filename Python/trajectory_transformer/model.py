"""Trained models: read, looked into, changed, written, and made planners of."""

from __future__ import annotations

import os
import pathlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

import numpy as np
import numpy.typing as npt

from . import _library
from ._arguments import text
from .errors import CheckpointError

if TYPE_CHECKING:
    from .planner import Planner

#: The folder of the models that the package carries.
SHIPPED = pathlib.Path(__file__).with_name("checkpoints")


def models() -> list[str]:
    """The names of the models that the package carries, for `load`."""
    return sorted(folder.name for folder in SHIPPED.glob("*") if (folder / "checkpoint.json").is_file())


def load(source: str | os.PathLike[str]) -> Model:
    """Reads a trained model.

    `source` is a run's folder (of which the checkpoint of the smallest held-out loss is taken where it was kept),
    a checkpoint's `checkpoint.json`, or the name of a model: of those in the folders that the environment variable
    TRAJECTORY_CHECKPOINTS names, or that the package carries (`models()`), such as "hopper". A folder goes first.

    Raises `CheckpointError` where it is missing, damaged, or of another version.
    """
    name = text("source", os.fspath(source))
    handle, answer = _library.made("model_load", os.fsencode(name), os.fsencode(SHIPPED))
    if answer.get("note"):
        warnings.warn(answer["note"], stacklevel=2)
    return Model(handle, answer, name)


@dataclass(frozen=True)
class Discretizer:
    """How numbers become tokens: the edges of the bins of each dimension of a transition."""

    #: (bins + 1, D) float64, D dimensions: observation, action, reward, return-to-go; in the data's units.
    edges: npt.NDArray[np.float64]
    #: "quantile" or "uniform".
    strategy: str

    @property
    def bins(self) -> int:
        """Bins of each dimension."""
        return len(self.edges) - 1


class Model:
    """A trained model with its bins and how they were made; made by `load` and `train`.

    It never changes, may be used from any number of threads, and serves in a forked process too.
    """

    def __init__(self, handle: _library.Handle, answer: dict[str, Any], name: str) -> None:
        self._handle = handle
        self._answer = answer
        #: What it is called in errors.
        self.name = name

    @property
    def config(self) -> dict[str, Any]:
        """The model's shape as in `checkpoint.json`: layers, heads, width, context, dropout, weights of the loss."""
        return dict(self._answer["description"]["model"])

    @property
    def tokenization(self) -> dict[str, Any]:
        """How data became tokens, as in `checkpoint.json`."""
        return dict(self._answer["description"]["tokenization"])

    @property
    def environment(self) -> str | None:
        """Name of the environment of the data, where it is known."""
        name = self._answer["description"].get("environment")
        return None if name is None else str(name)

    @property
    def step(self) -> int:
        """Training steps done."""
        return int(self._answer["description"]["step"])

    @property
    def observation_dim(self) -> int:
        """Numbers of an observation, O."""
        return int(self._answer["observationDimension"])

    @property
    def action_dim(self) -> int:
        """Numbers of an action, A."""
        return int(self.config["layout"]["actionDimension"])

    @property
    def goal_columns(self) -> list[int]:
        """Columns of the observation that a goal gives values for; empty for a model without goals."""
        return list(self._answer["goalColumns"])

    @property
    def condition_columns(self) -> list[int]:
        """Columns of the observation that hold for a whole episode, which no transition has; mostly empty."""
        return list(self._answer["conditionColumns"])

    @property
    def return_levels(self) -> int:
        """Levels of an episode's return that it was trained to tell apart; 0 where it was not told any."""
        return int(self._answer["returnLevels"])

    @property
    def parameter_count(self) -> int:
        """Number of parameters."""
        return sum(int(np.prod(parameter["shape"])) for parameter in self._answer["parameters"])

    @property
    def discretizer(self) -> Discretizer:
        """The bins."""
        columns = self.observation_dim - len(self.condition_columns) + self.action_dim + 2
        edges = np.empty((self.config["binCount"] + 1, columns))
        _library.plain("model_edges", self._handle.pointer, _library.doubles(edges), edges.size)
        return Discretizer(edges, self.tokenization["strategy"])

    def state_dict(self) -> dict[str, npt.NDArray[np.float32]]:
        """The parameters by the names of the authors' PyTorch code, float32.

        All are views of one new array, which is yours: `torch.from_numpy` takes them without a copy.
        """
        values = np.empty(self.parameter_count, np.float32)
        _library.plain("model_values", self._handle.pointer, _library.floats(values), values.size)
        state: dict[str, npt.NDArray[np.float32]] = {}
        start = 0
        for parameter in self._answer["parameters"]:
            size = int(np.prod(parameter["shape"]))
            state[parameter["name"]] = values[start : start + size].reshape(parameter["shape"])
            start += size
        return state

    def with_state_dict(self, state: Mapping[str, Any]) -> Model:
        """This model with other parameters, under the names and shapes of `state_dict`.

        Arrays or PyTorch tensors; names that the model does not have (such as the authors' mask buffers) are
        ignored. Raises `CheckpointError` where one is missing, has another shape, or is not finite.
        """
        parts: list[npt.NDArray[np.float32]] = []
        for parameter in self._answer["parameters"]:
            name, shape = parameter["name"], tuple(parameter["shape"])
            if name not in state:
                raise CheckpointError(f"'{name}' is missing in the state")
            tensor = state[name]
            if hasattr(tensor, "detach"):
                tensor = tensor.detach().cpu()
            array = np.asarray(tensor, np.float32)
            if array.shape != shape:
                raise CheckpointError(f"'{name}' has the shape {array.shape} in the state, {shape} in the model")
            parts.append(array.reshape(-1))
        values = np.concatenate(parts)
        handle, answer = _library.made("model_with_values", self._handle.pointer, _library.floats(values), values.size)
        return Model(handle, answer, self.name)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes a checkpoint that `load`, the command line and Swift programs read."""
        _library.ask("model_save", self._handle.pointer, os.fsencode(text("folder", os.fspath(folder))))

    def planner(
        self,
        *,
        num_envs: int | None = None,
        action_space: Any = None,
        autoreset: Any = "next_step",
        dtype: npt.DTypeLike = np.float32,
        seed: int = 0,
        workers: int | None = None,
        device: Literal["cpu", "cuda", "auto"] = "cpu",
        precision: Literal["exact", "fast"] = "exact",
        preset: str = "quick",
        objective: Literal["expectedReturn", "imitation", "likelihood", "q"] = "expectedReturn",
        critic: str | os.PathLike[str] | None = None,
        horizon: SupportsIndex | None = None,
        beam_width: SupportsIndex | None = None,
        expansion_factor: SupportsIndex | None = None,
        observation_top_k: SupportsIndex | Literal["all"] | None = None,
        action_top_k: SupportsIndex | Literal["all"] | None = None,
        reward_top_k: SupportsIndex | Literal["all"] | None = None,
        observation_cdf: float | Literal["all"] | None = None,
        action_cdf: float | Literal["all"] | None = None,
        reward_cdf: float | Literal["all"] | None = None,
        likelihood_top_k: SupportsIndex | Literal["all"] | None = None,
        readout: float | Literal["mean"] | None = None,
        unlikely_share: float | None = None,
        likelihood_weight: float | None = None,
        averaged_rows: SupportsIndex | None = None,
        context_transitions: SupportsIndex | None = None,
        replan_interval: SupportsIndex | None = None,
        warm_start: bool = False,
        deadline_ms: float | None = None,
        temperature: float | None = None,
        return_level: SupportsIndex | None = None,
        level_guidance: float | None = None,
        discount: float | None = None,
        window: Literal["exact", "cached"] | None = None,
        authors_quirks: bool = False,
    ) -> Planner:
        """Makes a planner, which acts in one environment or, with `num_envs`, in several at once.

        Where and how it acts:

        - `num_envs`: environments of a vector; None for one, whose observations have no first axis.
        - `action_space`: of Gymnasium; actions are clipped to its limits, and integers where it is `Discrete`. Without
          it, -1 to 1.
        - `autoreset`: of a vector: "next_step" (Gymnasium's default: the step after an episode's last ignores its
          action), "same_step" or "disabled", or Gymnasium's `AutoresetMode`.
        - `dtype`: of the actions; Gymnasium's spaces have float32.
        - `seed`: of the first episode; the following ones have the numbers after it.
        - `device`: "cpu", "cuda" (an NVIDIA card) or "auto", a card if there is one; `workers`: threads of the
          processor, one on each core if None.
        - `precision`: "exact", or "fast" products of factors rounded to bfloat16, on a card or where the processor has
          them.

        How it searches, under the names and defaults of the command line's options (`trajectory evaluate --help`).
        What is None is as the preset has it for the objective; `Planner.options` tells. "all" lifts a limit.

        - `preset`: "quick", milliseconds a decision for a small model; "mean-action", no search but the mean of 16
          actions that the model draws; "authors", the authors' code's search, 15 transitions ahead with 128 beams;
          "authors/hopper-medium" and so on, theirs for a dataset; or "paper", the paper's appendix E.
        - `objective`, `critic`: "expectedReturn", "imitation" of the data, or "q" with a critic's file.
        - `horizon`, `beam_width`: transitions to plan ahead, and sequences kept after each.
        - `expansion_factor`: continuations tried of each kept sequence (2).
        - `observation_top_k` (1), `action_top_k` ("all"), `reward_top_k` (1): sample from the likeliest so many tokens.
        - `observation_cdf`, `action_cdf`, `reward_cdf`: leave out the least likely tokens of this mass.
        - `likelihood_top_k`: with "imitation", continue with the most likely so many tokens.
        - `readout`: rewards and values are the "mean" of their distributions, or a percentile, such as 0.8.
        - `unlikely_share`: share of the candidates, the least likely, that are not kept (0).
        - `likelihood_weight`: what a nat of an action's log-likelihood counts, in deviations of candidates' returns.
        - `averaged_rows`: act by the mean first action of the best so many sequences (1).
        - `context_transitions`: transitions that the model sees, the one being planned included.
        - `replan_interval`: steps for which one plan is followed; `warm_start`: try the rest of the plan before.
        - `deadline_ms`: plan within this time, as far and wide as it allows.
        - `return_level`: act by this level of return, of a model trained with `return_levels` (the highest);
          `level_guidance`: how often what the level adds to the logits of actions counts (1).
        - `temperature`: logits are divided by it (1); `discount`: weight of a reward a step later (the checkpoint's);
          `window`: "exact" slides with every planned transition, "cached" is faster.
        - `authors_quirks`: also reproduce the faults of the authors' percentile, CDF filter and reading of low rewards.

        Raises `OptionError` for an option that cannot be, `CheckpointError` for a critic that cannot be used.
        """
        from .planner import Planner

        options = {
            name: value
            for name, value in locals().items()
            if name
            not in {
                *("self", "Planner", "num_envs", "action_space", "autoreset", "dtype", "seed", "workers"),
                *("device", "precision", "critic"),
            }
        }
        return Planner(
            self,
            options,
            critic=critic,
            num_envs=num_envs,
            action_space=action_space,
            autoreset=autoreset,
            dtype=dtype,
            seed=seed,
            workers=workers,
            device=device,
            precision=precision,
        )

    def __repr__(self) -> str:
        shape = self.config
        return (
            f"<Model '{self.name}': {shape['layerCount']} layers of {shape['embeddingWidth']} channels, "
            f"{self.observation_dim} observation and {self.action_dim} action dimensions, step {self.step}>"
        )
