"""Planners: options, acting, single plans, vectors, goals."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import trajectory_transformer as tt


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "horizon cannot be 0: give a whole number from 1 up"),
        ({"beam_width": -3}, "beam_width cannot be -3: give a whole number from 1 up"),
        ({"action_cdf": 1.5}, "action_cdf cannot be 1.5: give a mass between 0 and 1, or all to allow all tokens"),
        ({"deadline_ms": -1}, "deadline_ms cannot be -1.0: give milliseconds above 0"),
        (
            {"preset": "slow"},
            "preset cannot be 'slow': give one of quick, mean-action, paper, authors, authors/hopper-medium",
        ),
        ({"objective": "best"}, "objective cannot be 'best': give one of expectedReturn, likelihood, q, imitation"),
        ({"objective": "q"}, "objective q needs a critic; give one with critic"),
        ({"window": "wide"}, "window cannot be 'wide': give one of exact, cached"),
        ({"readout": 1.5}, "readout cannot be percentile 1.5: give a fraction between 0 and 1"),
        ({"horizon": 2.5}, "horizon cannot be 2.5: give a whole number"),
        ({"horizon": True}, "horizon cannot be True: give a whole number"),
        ({"horizon": 1 << 80}, f"horizon cannot be {1 << 80}: give a whole number"),
        ({"temperature": float("nan")}, "temperature cannot be nan: give a finite number"),
        ({"warm_start": "yes"}, "warm_start cannot be 'yes': give True or False"),
        ({"context_transitions": 9}, "context_transitions cannot be 9: give at most 5, the transitions that"),
        ({"num_envs": 0}, "num_envs must be positive, found 0"),
        ({"precision": "double"}, "precision cannot be 'double': give one of exact, fast"),
        ({"precision": 16}, "precision cannot be 16"),
        ({"workers": -1}, "workers must be positive, found -1"),
        ({"seed": -1}, "seed cannot be -1: give a whole number from 0 up"),
        ({"autoreset": "never"}, "autoreset cannot be 'never': give next_step, same_step or disabled"),
        ({"dtype": int}, "dtype cannot be int64: give a type of floating point"),
        ({"beam_width": 1_000_000, "horizon": 10_000}, "would need about"),
    ],
)
def test_options_that_cannot_be_are_refused(model: tt.Model, options: dict[str, Any], message: str) -> None:
    with pytest.raises(tt.OptionError) as raised:
        model.planner(**options)
    assert message in str(raised.value)
    assert isinstance(raised.value, (tt.TrajectoryError, ValueError))
    assert "\n" not in str(raised.value)


def test_a_critic_that_is_none_is_refused(model: tt.Model, tmp_path: Any) -> None:
    with pytest.raises(tt.CheckpointError, match="cannot use the critic"):
        model.planner(objective="q", critic=tmp_path / "none.safetensors")


def test_an_action_has_the_type_asked_for(model: tt.Model, observation: np.ndarray) -> None:
    single = model.planner().act(observation)
    assert single.shape == (3,)
    assert single.dtype == np.float32
    double = model.planner(dtype=np.float64).act(observation.astype(np.float32))
    assert double.dtype == np.float64
    assert np.array_equal(double.astype(np.float32), single)
    assert np.array_equal(model.planner().act(list(observation)), single)
    assert (np.abs(model.planner(horizon=np.int64(3), temperature=np.float32(2)).act(observation)) <= 1).all()


def test_observations_that_are_not_the_models_are_refused(model: tt.Model, observation: np.ndarray) -> None:
    planner = model.planner()
    for wrong in (observation[:-1], observation[None], "text", None, [[1, 2], [3]]):
        with pytest.raises(tt.PlanningError):
            planner.act(wrong)
    for number in (np.nan, np.inf):
        with pytest.raises(tt.PlanningError, match="give finite numbers"):
            planner.act(np.where(np.arange(11) == 4, number, observation))
    # None of them has left anything behind.
    assert np.array_equal(planner.act(observation), model.planner().act(observation))


def test_act_and_observe_take_turns(model: tt.Model, observation: np.ndarray) -> None:
    planner = model.planner()
    with pytest.raises(tt.PlanningError, match="a reward of environment 0 without an action"):
        planner.observe(1)
    planner.act(observation)
    with pytest.raises(tt.PlanningError, match="whose reward is not known"):
        planner.act(observation)
    with pytest.raises(tt.PlanningError, match="reward is no number"):
        planner.observe("much")
    with pytest.raises(tt.PlanningError, match="finite"):
        planner.observe(float("nan"))
    planner.observe(np.float32(1))
    planner.act(observation)


def test_an_episode_depends_on_its_seed(model: tt.Model, observation: np.ndarray) -> None:
    planner = model.planner(seed=5)
    first = planner.act(observation)
    planner.observe(1, True)
    second = planner.act(observation)
    planner.reset(seed=5)
    assert np.array_equal(planner.act(observation), first)
    planner.reset(seed=6)
    assert np.array_equal(planner.act(observation), second)


def test_a_vector_decides_as_single_planners_do(model: tt.Model) -> None:
    random = np.random.default_rng(1)
    vector = model.planner(num_envs=3, seed=7)
    singles = [model.planner(seed=7 + index) for index in range(3)]
    for _ in range(4):
        observations = random.normal(size=(3, 11))
        rewards = random.normal(size=3)
        actions = vector.act(observations)
        assert actions.shape == (3, 3)
        for index, single in enumerate(singles):
            assert np.array_equal(single.act(observations[index]), actions[index])
            single.observe(rewards[index])
        vector.observe(rewards, np.zeros(3, bool), np.zeros(3, bool))


def test_a_row_whose_episode_ended_waits_for_its_reset(model: tt.Model) -> None:
    random = np.random.default_rng(2)
    observations = random.normal(size=(4, 2, 11))
    planner = model.planner(num_envs=2)
    planner.act(observations[0])
    planner.observe([1, 1], [True, False], [False, False])
    # The next step resets environment 0, whatever is done there.
    actions = planner.act(observations[1])
    assert (actions[0] == 0).all()
    assert (actions[1] != 0).any()
    planner.observe([0, 1], [False, False], [False, False])
    third = planner.act(observations[2])
    # A new episode, with the seed after those of the first ones.
    assert np.array_equal(third[0], model.planner(seed=2).act(observations[2][0]))
    same = model.planner(num_envs=2, autoreset="same_step")
    same.act(observations[0])
    same.observe([1, 1], [True, False], [False, False])
    assert np.array_equal(same.act(observations[1])[0], model.planner(seed=2).act(observations[1][0]))


def test_a_plan_changes_nothing(model: tt.Model, observation: np.ndarray) -> None:
    planner = model.planner(horizon=4, beam_width=8, likelihood_weight=0)
    plan = planner.plan(observation, seed=0)
    assert plan.actions.shape == (4, 3)
    assert plan.observations.shape == (4, 11)
    assert plan.rewards.shape == plan.values.shape == (4,)
    assert plan.tokens.shape == (4, 16)
    assert len(plan.candidates) == 8
    assert np.array_equal(plan.candidates[0].tokens, plan.tokens)
    scores = [candidate.score for candidate in plan.candidates]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == plan.score
    assert plan.statistics["horizon"] == 4
    assert np.array_equal(planner.act(observation), np.clip(plan.actions[0], -1, 1).astype(np.float32))
    vector = model.planner(num_envs=2, horizon=4, beam_width=8, likelihood_weight=0)
    plans = vector.plan(np.stack([observation, observation]), seed=[0, 1])
    assert np.array_equal(plans[0].tokens, plan.tokens)


def test_plans_see_the_past(model: tt.Model) -> None:
    random = np.random.default_rng(3)
    planner = model.planner(horizon=3, beam_width=4)
    observation = random.normal(size=11)
    before = planner.plan(observation)
    for _ in range(3):
        planner.act(random.normal(size=11))
        planner.observe(random.normal())
    assert planner.plan(observation).score != before.score


def test_a_plan_keeps_to_its_deadline(model: tt.Model, observation: np.ndarray) -> None:
    planner = model.planner(preset="authors", deadline_ms=40)
    for _ in range(3):
        planner.plan(observation)
    started = time.perf_counter()
    plan = planner.plan(observation)
    # Generous: the machine may be busy.
    assert time.perf_counter() - started < 2
    assert plan.statistics["beamWidth"] <= 128


def test_goals_are_part_of_the_plan(small: tt.Model) -> None:
    planner = small.planner(horizon=3, beam_width=4)
    observation = np.zeros(3)
    with pytest.raises(tt.PlanningError):
        planner.act(observation)
    with pytest.raises(tt.PlanningError, match=r"the goal has the shape \(3,\), expected \(2,\)"):
        planner.set_goal([1, 2, 3])
    one, other = planner.plan(observation, goal=[1, 1]), planner.plan(observation, goal=[-1, -1])
    assert one.score != other.score
    planner.set_goal([1, 1])
    assert planner.plan(observation).score == one.score
    # A dictionary says its goal by itself, and its `observation` is taken alone.
    step = {"observation": observation, "achieved_goal": np.zeros(2), "desired_goal": np.array([-1, -1])}
    assert planner.plan(step).score == other.score
    action = planner.act(step)
    again = small.planner(horizon=3, beam_width=4)
    again.set_goal([-1, -1])
    assert np.array_equal(again.act(observation), action)


def test_a_model_without_goals_takes_none(model: tt.Model, observation: np.ndarray) -> None:
    with pytest.raises(tt.PlanningError, match="trained without goals"):
        model.planner().plan(observation, goal=[1, 1])


def test_limits_of_an_action_space_are_kept(model: tt.Model, observation: np.ndarray) -> None:
    from gymnasium.spaces import Box, Discrete

    space = Box(-0.25, 0.25, (3,))
    assert (np.abs(model.planner(action_space=space).act(observation)) <= 0.25).all()
    for wrong in (Box(-1, 1, (2,)), Discrete(3), 7):
        with pytest.raises(tt.OptionError, match="action_space cannot be"):
            model.planner(action_space=wrong)


def test_fast_products_plan_where_the_processor_has_them(model: tt.Model, observation: np.ndarray) -> None:
    try:
        planner = model.planner(horizon=3, beam_width=4, precision="fast")
    except tt.OptionError as error:
        if "no instructions for fast products" not in str(error):
            raise
        pytest.skip("this processor has no bfloat16")
    exact = model.planner(horizon=3, beam_width=4).plan(observation)
    fast = planner.plan(observation)
    assert np.isfinite(fast.actions).all()
    assert fast.actions.shape == exact.actions.shape
    assert not np.array_equal(fast.values, exact.values)


def test_every_option_makes_a_planner(model: tt.Model, observation: np.ndarray) -> None:
    for options in (
        {"objective": "imitation", "likelihood_top_k": 5},
        {"window": "cached", "horizon": 7},
        {"readout": 0.8},
        {"readout": 0.8, "authors_quirks": True},
        {"warm_start": True, "replan_interval": 2},
        {"unlikely_share": 0.25, "averaged_rows": 3, "likelihood_weight": 0.5},
        {"observation_top_k": "all", "action_cdf": "all"},
        {"expansion_factor": 3, "discount": 0.9, "context_transitions": 3},
        {"workers": 1},
    ):
        planner = model.planner(beam_width=4, **{"horizon": 3, **options})  # type: ignore[arg-type]
        for _ in range(3):
            assert np.isfinite(planner.act(observation)).all()
            planner.observe(1)
        assert planner.plan(observation).actions.shape[1] == 3
