"""Training: an iterator, runs that go on, errors."""

from __future__ import annotations

import csv
import pathlib
from typing import Any

import numpy as np
import pytest
from conftest import SMALL, episodes

import trajectory_transformer as tt


def test_a_run_is_an_iterator(dataset: tt.Dataset, tmp_path: pathlib.Path) -> None:
    with tt.Trainer(dataset, output=tmp_path / "run", report_every=0, evaluation_interval=6, **SMALL) as trainer:
        assert trainer.options["steps"] == 12
        assert trainer.shape["width"] == 16
        assert trainer.tokenization["strategy"] == "quantile"
        assert trainer.parameter_count > 1000
        seen = list(trainer)
        assert list(trainer) == []
    assert [progress.step for progress in seen] == list(range(1, 13))
    assert all(progress.steps == 12 and np.isfinite(progress.loss) for progress in seen)
    assert [progress.step for progress in seen if progress.held_out_loss is not None] == [6, 12]
    assert seen[-1].loss < seen[0].loss
    assert trainer.progress == seen[-1]
    assert trainer.model.parameter_count == trainer.parameter_count
    rows = list(csv.DictReader((tmp_path / "run/metrics.csv").open()))
    assert [int(row["step"]) for row in rows] == list(range(1, 13))


def test_bins_and_published_recipes(dataset: tt.Dataset, tmp_path: pathlib.Path) -> None:
    run = tmp_path / "run"
    with tt.Trainer(dataset, output=run, discretizer="uniform", report_every=0, **SMALL) as trainer:
        list(trainer)
    assert tt.load(run).discretizer.strategy == "uniform"
    with pytest.raises(tt.TrainingError, match="strategy uniform, not quantile"):
        tt.Trainer(dataset, output=run, resume=True, discretizer="quantile")
    with pytest.raises(tt.OptionError, match="discretizer cannot be 'even': give one of"):
        tt.Trainer(dataset, discretizer="even")  # type: ignore[arg-type]
    with tt.Trainer(dataset, recipe="authors/ant-medium", layers=1, width=16) as trainer:
        assert trainer.options["batchSize"] == 128
        assert trainer.options["scheduleEnding"] == "authors"
        assert any("as in authors/ant-medium" in note for note in trainer.notes)
    with pytest.raises(tt.OptionError, match="give one of quick, paper, authors, authors/hopper-medium"):
        tt.Trainer(dataset, recipe="best")


def test_goals_are_later_places_or_the_last(dataset: tt.Dataset) -> None:
    with tt.Trainer(dataset, goal_columns=[0], **SMALL) as trainer:
        assert trainer.tokenization["goalRule"] == "later"
    with tt.Trainer(dataset, goal_columns=[0], goal_rule="last", **SMALL) as trainer:
        assert trainer.tokenization["goalRule"] == "last"
    with pytest.raises(tt.OptionError, match="goal_rule cannot be 'first': give one of later, last"):
        tt.Trainer(dataset, goal_columns=[0], goal_rule="first", **SMALL)  # type: ignore[arg-type]
    for rule in ("later", "last"):
        with pytest.raises(tt.OptionError, match=r"goal_rule.* is for goal_columns"):
            tt.Trainer(dataset, goal_rule=rule, **SMALL)  # type: ignore[arg-type]


def test_nothing_is_computed_between_reports(dataset: tt.Dataset) -> None:
    with tt.Trainer(dataset, report_every=0, **SMALL) as trainer:
        first = next(trainer)
        again = next(trainer)
    assert (first.step, again.step) == (1, 2)


def test_a_run_that_was_left_goes_on(dataset: tt.Dataset, tmp_path: pathlib.Path) -> None:
    with tt.Trainer(dataset, output=tmp_path / "whole", report_every=0, keep_best=False, **SMALL) as whole:
        losses = [progress.loss for progress in whole]
    part = tmp_path / "part"
    with tt.Trainer(dataset, output=part, report_every=0, keep_best=False, **SMALL) as trainer:
        seen = [next(trainer).loss for _ in range(5)]
    done = trainer.progress
    assert done is not None
    with tt.Trainer(dataset, output=part, resume=True, report_every=0, keep_best=False) as trainer:
        rest = [progress.loss for progress in trainer]
    assert seen == losses[:5]
    assert rest == losses[done.step :]
    one, other = tt.load(part).state_dict(), whole.model.state_dict()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_run_begins_with_the_weights_of_another(dataset: tt.Dataset, tmp_path: pathlib.Path) -> None:
    first = tt.train(dataset, output=tmp_path / "first", **SMALL)
    options: dict[str, Any] = {"steps": 1, "batch_size": 4, "learning_rate": 1e-9}
    options |= {"opening_share": 0.5, "opening_length": 3, "best_share": 0.6, "best_fraction": 0.5}
    options["window_order"] = "blocks"
    with tt.Trainer(dataset, initial=tmp_path / "first", report_every=0, **options) as trainer:
        assert trainer.shape["width"] == SMALL["width"]
        assert (trainer.options["openingShare"], trainer.options["openingLength"]) == (0.5, 3)
        assert (trainer.options["bestShare"], trainer.options["bestFraction"]) == (0.6, 0.5)
        assert trainer.options["windowOrder"] == "blocks"
        list(trainer)
    one, other = first.state_dict(), trainer.model.state_dict()
    assert all(np.allclose(one[name], other[name], atol=1e-6) for name in one)
    with pytest.raises(tt.DataError, match="same environment"):
        tt.Trainer(dataset, initial="hopper", **options)
    with pytest.raises(tt.CheckpointError):
        tt.Trainer(dataset, initial=tmp_path / "none", **options)
    with pytest.raises(tt.OptionError, match="openingShare"):
        tt.Trainer(dataset, steps=1, opening_share=2)


def test_an_exception_inside_saves_the_run(dataset: tt.Dataset, tmp_path: pathlib.Path) -> None:
    def leave() -> None:
        with tt.Trainer(dataset, output=tmp_path, report_every=0, **SMALL) as trainer:
            next(trainer)
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        leave()
    assert 0 < tt.load(tmp_path / "checkpoint.json").step < 12


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"steps": 0}, tt.OptionError, "steps must be positive, found 0"),
        ({"batch_size": -1}, tt.OptionError, "batch_size must be positive, found -1"),
        ({"learning_rate": -1}, tt.OptionError, "learning_rate must be positive, found -1.0"),
        ({"recipe": "fast"}, tt.OptionError, "recipe cannot be 'fast': give one of quick, paper, authors, authors/"),
        ({"optimizer": "sgd"}, tt.OptionError, "optimizer cannot be 'sgd': give one of adamw, muon"),
        ({"width": 15}, tt.OptionError, "width 15 is not a multiple of"),
        ({"bins": 0}, tt.OptionError, "bins must be positive, found 0"),
        ({"minutes": 5}, tt.OptionError, "minutes is for a new run without steps"),
        ({"goal_columns": [7]}, tt.DataError, "7"),
        ({"goal_columns": ["x"]}, tt.OptionError, "goal_columns cannot be 'x'"),
        ({"termination_penalty": "x"}, tt.OptionError, "termination_penalty cannot be 'x'"),
        ({"precision": "double"}, tt.OptionError, "precision cannot be 'double'"),
        ({"workers": 0}, tt.OptionError, "workers must be positive, found 0"),
        ({"report_every": -1}, tt.OptionError, "report_every cannot be -1"),
        ({"resume": True}, tt.OptionError, "resume goes on with the run in output"),
        ({"dropout": 2.0}, tt.OptionError, "dropout must lie in [0, 1), found 2"),
        ({"seed": -4}, tt.OptionError, "seed cannot be -4"),
        ({"hide": 1.0}, tt.OptionError, "must lie between 0 and 1, found 1"),
        ({"hide_seed": 3}, tt.OptionError, "hide_seed is for hide"),
    ],
)
def test_options_that_cannot_be_are_refused(
    dataset: tt.Dataset, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        tt.Trainer(dataset, **{**SMALL, **options})
    assert message in str(raised.value)


def test_folders_are_checked(dataset: tt.Dataset, tmp_path: pathlib.Path) -> None:
    tt.train(dataset, output=tmp_path / "run", **SMALL)
    with pytest.raises(tt.TrainingError, match="there is a run in it already"):
        tt.Trainer(dataset, output=tmp_path / "run", **SMALL)
    with pytest.raises(tt.TrainingError, match="there is no run in it to resume"):
        tt.Trainer(dataset, output=tmp_path / "none", resume=True)
    with pytest.raises(tt.TrainingError, match="it has written no checkpoint yet"):
        _ = tt.Trainer(dataset, output=tmp_path / "new", **SMALL).model
    with pytest.raises(tt.TrainingError, match=r"seed|width|model"):
        tt.Trainer(dataset, output=tmp_path / "run", resume=True, width=32)


def test_data_that_cannot_be_trained_on_are_refused() -> None:
    rows = episodes(4, 10)
    rows["rewards"][3] = np.nan
    with pytest.raises(tt.DataError, match="is nan; remove such rows"):
        tt.Trainer(tt.Dataset.from_d4rl(rows), **SMALL)
    single = {name: values[:3] for name, values in episodes(4, 10).items()}
    single["timeouts"] = np.ones(3, bool)
    with pytest.raises(tt.TrajectoryError):
        tt.Trainer(tt.Dataset.from_d4rl(single), **SMALL)


def test_minutes_choose_steps(dataset: tt.Dataset) -> None:
    with tt.Trainer(dataset, minutes=0.02, layers=1, width=16, heads=2) as trainer:
        assert any("minutes" in note for note in trainer.notes)
        assert trainer.options["steps"] >= 1


def test_a_terminal_state_that_is_a_failure_is_told_of() -> None:
    rows = episodes(12, 10)
    rows["terminals"] = rows["timeouts"].copy()
    rows["terminals"][9] = False
    rows["rewards"] = np.abs(rows["rewards"])
    rows["rewards"][rows["terminals"]] = 0
    trainer = tt.Trainer(tt.Dataset.from_d4rl(rows), **SMALL)
    assert any("terminal state" in note for note in trainer.notes)
    kept = tt.Trainer(tt.Dataset.from_d4rl(rows), termination_penalty=None, **SMALL)
    assert kept.tokenization.get("terminationPenalty") is None
    number = tt.Trainer(tt.Dataset.from_d4rl(rows), termination_penalty=-5, **SMALL)
    assert number.tokenization["terminationPenalty"] == -5


def test_half_of_what_is_observed_is_hidden(dataset: tt.Dataset) -> None:
    model = tt.train(dataset, hide=0.5, hide_seed=3, **SMALL)
    assert model.tokenization["hiding"] == {"probability": 0.5, "seed": 3}


def test_what_holds_for_an_episode_stands_in_front(dataset: tt.Dataset) -> None:
    rows = episodes()
    # 30 episodes of 40 steps, each on a map of its own.
    rows["observations"] = np.concatenate(
        [rows["observations"], np.repeat(np.arange(30), 40)[:, None].astype(np.float32)], axis=1
    )
    held = tt.Dataset.from_d4rl(rows)
    model = tt.train(held, condition_columns=[3], **SMALL)
    assert model.condition_columns == [3]
    assert model.goal_columns == []
    assert model.observation_dim == 4
    assert model.discretizer.edges.shape[1] == 3 + 2 + 2
    planner = model.planner(horizon=2, beam_width=2)
    plan = planner.plan(np.array([0, 0, 0, 7.0]))
    assert plan.observations.shape[1] == 4
    assert (plan.observations[:, 3] == 7).all()
    with pytest.raises(tt.PlanningError, match="4"):
        planner.plan(np.zeros(3))
    with pytest.raises(tt.DataError, match="row 1 of episode 0"):
        tt.train(held, condition_columns=[2], **SMALL)
    with pytest.raises(tt.OptionError, match="condition_columns is empty"):
        tt.train(held, condition_columns=[], **SMALL)
    with pytest.raises(tt.OptionError, match="goal_columns is empty"):
        tt.train(held, goal_columns=[], **SMALL)


def test_a_level_of_return_is_asked_for(dataset: tt.Dataset) -> None:
    model = tt.train(dataset, return_levels=3, **SMALL)
    assert model.return_levels == 3
    assert tt.train(dataset, **SMALL).return_levels == 0
    planner = model.planner(horizon=2, beam_width=2, return_level=1)
    assert planner.options["return_level"] == 1
    guided = model.planner(preset="mean-action", beam_width=2, level_guidance=3)
    assert guided.options["level_guidance"] == 3
    assert guided.options["averaged_rows"] == 2
    with pytest.raises(tt.OptionError, match="return_level cannot be 4: give a level from 1 to 3"):
        model.planner(return_level=4)
    with pytest.raises(tt.OptionError, match="level_guidance cannot be -1"):
        model.planner(level_guidance=-1)
    with pytest.raises(tt.OptionError, match=r"return_levels must lie in \[2, 99\]"):
        tt.train(dataset, return_levels=1, **SMALL)


def test_a_learning_curve_for_tensorboard(dataset: tt.Dataset, tmp_path: pathlib.Path) -> None:
    tt.train(dataset, output=tmp_path / "run", tensorboard=tmp_path / "run", report_every=0, **SMALL)
    (file,) = (tmp_path / "run").glob("*tfevents*")
    content = file.read_bytes()
    assert b"brain.Event:2" in content
    assert content.count(b"loss/train") == SMALL["steps"]
    with pytest.raises(tt.OptionError):
        tt.Trainer(dataset, tensorboard="a\0b", **SMALL)
