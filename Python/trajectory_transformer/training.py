"""Training, a step after the other."""

from __future__ import annotations

import json
import os
import queue
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, SupportsIndex

from . import _library
from ._arguments import flag, number, text, whole
from .dataset import Dataset
from .errors import OptionError, TrainingError
from .model import SHIPPED, Model, load


@dataclass(frozen=True)
class Progress:
    """Where a run of training stands."""

    #: Steps done, and steps in all.
    step: int
    steps: int
    #: Tokens seen.
    tokens: int
    #: Seconds of training so far, earlier parts of a resumed run included.
    seconds: float
    #: Mean loss since the last report, with dropout.
    loss: float
    #: Loss on held-out windows without dropout, if it was just measured.
    held_out_loss: float | None
    #: Mean cross entropy of the held-out tokens, and of the action tokens among them.
    held_out_cross_entropy: float | None
    held_out_action_cross_entropy: float | None
    #: Learning rate of the last step.
    learning_rate: float
    #: Norm of the last gradient before clipping.
    gradient_norm: float
    #: Since the last report.
    tokens_per_second: float


def _progress(answer: dict[str, Any]) -> Progress:
    return Progress(
        step=answer["step"],
        steps=answer["steps"],
        tokens=answer["tokens"],
        seconds=answer["seconds"],
        loss=answer["loss"],
        held_out_loss=answer.get("heldOutLoss"),
        held_out_cross_entropy=answer.get("heldOutCrossEntropy"),
        held_out_action_cross_entropy=answer.get("heldOutActionCrossEntropy"),
        learning_rate=answer["learningRate"],
        gradient_norm=answer["gradientNorm"],
        tokens_per_second=answer["tokensPerSecond"],
    )


def _penalty(value: Any, resume: bool) -> float | str | None:
    """A penalty as the library takes it; None where a resumed run's own stays, or every reward does."""
    if value is None or (resume and value == "auto"):
        return None
    return "auto" if value == "auto" else number("termination_penalty", value)


def _temporary_folder(owner: object) -> str:
    """A folder that goes with its owner, in this process alone."""
    folder = tempfile.mkdtemp(prefix="trajectory-transformer-")

    def remove(process: int) -> None:
        if os.getpid() == process:
            shutil.rmtree(folder, ignore_errors=True)

    weakref.finalize(owner, remove, os.getpid())
    return folder


class Trainer:
    """Trains a model on a dataset: an iterator of `Progress`, between whose steps nothing is computed.

        with tt.Trainer(dataset, output="runs/mine", steps=5000) as trainer:
            for progress in trainer:
                print(progress.step, progress.loss)
        model = trainer.model

    The run folder `output` holds the checkpoint, `metrics.csv`, and in `best` the checkpoint of the smallest held-out
    loss; the command line goes on with it and evaluates it (`trajectory train --resume`, `trajectory evaluate`). A
    run that is left early, by an exception or Ctrl-C, is saved at the end of `with`, and goes on with `resume=True`.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        output: str | os.PathLike[str] | None = None,
        resume: bool = False,
        report_every: float = 2.0,
        environment: str | None = None,
        recipe: str | None = None,
        minutes: float | None = None,
        steps: SupportsIndex | None = None,
        batch_size: SupportsIndex | None = None,
        layers: SupportsIndex | None = None,
        heads: SupportsIndex | None = None,
        width: SupportsIndex | None = None,
        window: SupportsIndex | None = None,
        bins: SupportsIndex | None = None,
        discretizer: Literal["quantile", "uniform"] | None = None,
        optimizer: Literal["muon", "adamw"] | None = None,
        start: Literal["smooth", "authors"] | None = None,
        action_weight: float | None = None,
        goal_columns: Sequence[SupportsIndex] | None = None,
        condition_columns: Sequence[SupportsIndex] | None = None,
        return_levels: SupportsIndex | None = None,
        hide: float | None = None,
        hide_seed: SupportsIndex | None = None,
        goal_rule: Literal["later", "last"] | None = None,
        termination_penalty: float | Literal["auto"] | None = "auto",
        dropout: float | None = None,
        learning_rate: float | None = None,
        seed: SupportsIndex | None = None,
        best_share: float | None = None,
        best_fraction: float | None = None,
        opening_share: float | None = None,
        opening_length: SupportsIndex | None = None,
        window_order: Literal["shuffled", "blocks"] | None = None,
        initial: str | os.PathLike[str] | None = None,
        patience: SupportsIndex | None = None,
        keep_best: bool | None = None,
        workers: SupportsIndex | None = None,
        device: Literal["cpu", "cuda", "auto"] = "cpu",
        precision: Literal["exact", "fast"] = "exact",
        time_limit: float | None = None,
        evaluation_interval: SupportsIndex | None = None,
        checkpoint_interval: SupportsIndex | None = None,
        tensorboard: str | os.PathLike[str] | None = None,
    ) -> None:
        """Prepares a run.

        - `output`: the run folder, by default a temporary one that lives as long as the trainer; `resume`: go on with
          the run in it, with the settings that it had.
        - `report_every`: seconds between two `Progress`; 0 reports every step.
        - `environment`: name of the environment of the data, kept in the checkpoint for the command line.

        The others are the command line's options (`trajectory train --help`) and have its defaults where they are
        None: those of the recipe, or of the run that is resumed.

        - `recipe`: "quick" (the default), "authors", "authors/hopper-medium" and so on, the authors' code's with
          its batches and length for a dataset (days without a card), or "paper", the paper's appendix A.
        - `minutes`: about how long to train where `steps` does not say (5); the size follows, too.
        - `batch_size`: windows in a batch; `layers`, `heads`, `width`: the model's size; `window`: transitions in a
          window; `bins` of each dimension, with edges by `discretizer`: "quantile" (the default) or "uniform";
          `optimizer`, `start`, `dropout`, `learning_rate`.
        - `action_weight`: of action tokens in the loss; `goal_columns`: of the observation, which make up a goal;
          `goal_rule`: a window's goal is any "later" place of its episode (the default), or the "last", as in the
          paper.
        - `condition_columns`: of the observation, which hold for a whole episode, such as its map; they stand once in
          front of every sequence.
        - `return_levels`: tell the model which of so many levels of return an episode has, such as 10 for tenths of the
          transitions; a planner acts by the highest, or by its `return_level`.
        - `hide`: the probability with which each number of the observations is hidden; `hide_seed` fixes which are.
        - `termination_penalty`: takes the place of the last reward of an episode with a terminal state; "auto" decides
          by the data, None keeps the reward.
        - `seed`: fixes initial weights, order of the data and dropout; `workers`: threads of the processor.
        - `device`: "cpu", "cuda" (an NVIDIA card) or "auto", a card if there is one; the run may change it on resuming.
        - `precision`: "exact", or "fast" products of factors rounded to bfloat16, on a card or where the processor has
          them.
        - `best_share`: share of the windows that comes from the best of the data alone, by episodes' returns;
          `best_fraction`: which part of the transitions that is (0.1).
        - `opening_share`: share of the windows that begins in an episode's first transitions; `opening_length`: how
          many those are (as many as a window has).
        - `window_order`: "shuffled" (the default), or "blocks", which mixes some dozen blocks at a time.
        - `initial`: a run's folder, or the name of a model (`tt.models()`), with whose weights training begins; size,
          window, bins, discount and termination penalty are its own, whatever the data.
        - `patience`: stop after so many held-out measurements without a smaller loss; `keep_best`: keep the
          checkpoint of the smallest; `time_limit`: minutes.
        - `evaluation_interval`, `checkpoint_interval`: steps between held-out losses, and between checkpoints.
        - `tensorboard`: a folder that also gets the learning curve as TensorBoard's events; it may be `output`.

        Raises `OptionError`, `DataError` and `TrainingError`.
        """
        if resume and output is None:
            raise OptionError("resume goes on with the run in output; give its folder")
        #: The run folder.
        self.output = text("output", os.fspath(output)) if output is not None else _temporary_folder(self)
        interval = number("report_every", report_every)
        if interval is None or interval < 0:
            raise OptionError(f"report_every cannot be {report_every}: give seconds from 0 up")
        self._interval = interval
        request: dict[str, Any] = {
            "recipe": recipe,
            "optimizer": optimizer,
            "start": start,
            "steps": whole("steps", steps),
            "minutes": number("minutes", minutes),
            "batchSize": whole("batch_size", batch_size),
            "layers": whole("layers", layers),
            "heads": whole("heads", heads),
            "width": whole("width", width),
            "window": whole("window", window),
            "bins": whole("bins", bins),
            "discretizer": discretizer,
            "actionWeight": number("action_weight", action_weight),
            "discrete": None if resume else dataset.discrete or None,
            "goalColumns": None if goal_columns is None else [whole("goal_columns", column) for column in goal_columns],
            "conditionColumns": None
            if condition_columns is None
            else [whole("condition_columns", column) for column in condition_columns],
            "returnLevels": whole("return_levels", return_levels),
            "hide": number("hide", hide),
            "hideSeed": whole("hide_seed", hide_seed, unsigned=True),
            "goalRule": goal_rule,
            "terminationPenalty": _penalty(termination_penalty, resume),
            "keepsTerminalRewards": termination_penalty is None,
            "dropout": number("dropout", dropout),
            "learningRate": number("learning_rate", learning_rate),
            "seed": whole("seed", seed, unsigned=True),
            "bestShare": number("best_share", best_share),
            "bestFraction": number("best_fraction", best_fraction),
            "openingShare": number("opening_share", opening_share),
            "openingLength": whole("opening_length", opening_length),
            "windowOrder": window_order,
            "initial": None if initial is None else text("initial", os.fspath(initial)),
            "shipped": os.fspath(SHIPPED),
            "patience": whole("patience", patience),
            "keepBest": None if keep_best is None else flag("keep_best", keep_best),
            "timeLimit": number("time_limit", time_limit),
            "evaluationInterval": whole("evaluation_interval", evaluation_interval),
            "checkpointInterval": whole("checkpoint_interval", checkpoint_interval),
            "environment": environment,
            "tensorboard": None if tensorboard is None else text("tensorboard", os.fspath(tensorboard)),
            "resume": flag("resume", resume),
        }
        given = {key: value for key, value in request.items() if value is not None}
        threads = whole("workers", workers)
        if threads is not None and threads < 1:
            raise OptionError(f"workers must be positive, found {threads}")
        engine = _library.engine(threads, device, precision).pointer
        arguments = (dataset._handle.pointer, engine, json.dumps(given).encode(), os.fsencode(self.output))
        self._handle, self._answer = _library.interruptible(
            lambda _: _library.made("trainer_new", *arguments, computes=True)
        )
        #: What a person should know: what terminal states were taken for, what was chosen for the minutes.
        self.notes: list[str] = list(self._answer["notes"])
        #: Where the run stands; None before the first report.
        self.progress: Progress | None = None
        self._stop = _library.Stop()
        self._thread: threading.Thread | None = None
        # The run's thread leaves what it has to say in `_reports`, and waits at `_turn` until it is asked on.
        self._reports: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._turn = threading.Semaphore(0)
        self._is_asked = False
        self._ended = False

    @property
    def options(self) -> dict[str, Any]:
        """The settings of training, complete, under the library's names."""
        return dict(self._answer["options"])

    @property
    def shape(self) -> dict[str, Any]:
        """The model's size, weights of the loss and dropout."""
        return dict(self._answer["shape"])

    @property
    def tokenization(self) -> dict[str, Any]:
        """How data become tokens; the termination penalty has been decided."""
        return dict(self._answer["tokenization"])

    @property
    def parameter_count(self) -> int:
        """Parameters of the model."""
        return int(self._answer["parameterCount"])

    @property
    def model(self) -> Model:
        """The model of the smallest held-out loss, where it was kept, or of the last checkpoint."""
        if not os.path.isfile(os.path.join(self.output, "checkpoint.json")):
            raise TrainingError(f"cannot use the run in '{self.output}': it has written no checkpoint yet")
        return load(self.output)

    def __iter__(self) -> Iterator[Progress]:
        return self

    def __next__(self) -> Progress:
        """Trains to the next report.

        Ctrl-C raises KeyboardInterrupt at once; the step under way goes on to the report, which the next call returns.
        """
        if self._ended:
            raise StopIteration
        _ = self._handle.pointer  # refuses a process that was forked
        if not self._is_asked:
            self._is_asked = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="trajectory-transformer training", daemon=True)
                self._thread.start()
            else:
                self._turn.release()
        kind, value = self._reports.get()
        self._is_asked = False
        if kind == "progress":
            self.progress = _progress(value)
            return self.progress
        self._end(kind, value)
        raise StopIteration

    def _run(self) -> None:
        def report(progress: bytes) -> None:
            self._reports.put(("progress", json.loads(progress)))
            self._turn.acquire()

        try:
            answer = _library.ask(
                "trainer_run", self._handle.pointer, self._stop.pointer, self._interval, _library.Report(report)
            )
        except BaseException as error:  # handed on to the thread that asked
            self._reports.put(("error", error))
        else:
            self._reports.put(("end", answer))

    def _end(self, kind: str, value: Any) -> None:
        self._ended = True
        if kind == "error":
            raise value
        self.notes += value["notes"]
        self.progress = _progress(value["progress"])

    def stop(self) -> None:
        """Ends the run after the present step and saves it, so that `resume=True` goes on; it may have ended."""
        if self._ended:
            return
        if self._thread is None:
            self._ended = True
            return
        self._stop.request()
        # Once for the report it waits at, and for those that come before it looks.
        while True:
            self._turn.release()
            kind, value = self._reports.get()
            if kind != "progress":
                break
        self._end(kind, value)

    def __enter__(self) -> Trainer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def train(dataset: Dataset, *, output: str | os.PathLike[str] | None = None, **options: Any) -> Model:
    """Trains to the end and returns the model: `Trainer` with the same arguments, without its steps.

    Ctrl-C saves the run in `output` and raises KeyboardInterrupt.
    """
    with Trainer(dataset, output=output, **options) as trainer:
        for _ in trainer:
            pass
        return trainer.model
