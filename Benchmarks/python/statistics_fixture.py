#!/usr/bin/env python3
"""Records what `rliable` makes of two fixed matrices, for Tests/StatisticsTests.

    pip install rliable==1.2.0 'pandas<3'
    Benchmarks/python/statistics_fixture.py Tests/StatisticsTests/Fixtures/rliable.json

The draws of its bootstrap are recorded too, so that intervals can be compared number by number.
"""

import json
import sys

import numpy as np
from rliable import library, metrics

GAMMA = 90.0
DRAWS = 60
REPETITIONS = 50_000
THRESHOLDS = [0.0, 25.0, 50.0, 62.5, 75.0, 100.0, 120.0]


def matrix(runs: int, shift: float) -> np.ndarray:
    """Scores of runs x tasks; rounded to halves, so that some are equal."""
    spread = np.array([4.0, 20.0, 9.0, 40.0])
    center = np.array([95.0, 60.0, 30.0, 75.0]) + shift
    return np.round(2 * (center + spread * np.random.standard_normal((runs, 4)))) / 2


def measures(scores: np.ndarray) -> np.ndarray:
    return np.array(
        [
            metrics.aggregate_iqm(scores),
            metrics.aggregate_mean(scores),
            metrics.aggregate_median(scores),
            metrics.aggregate_optimality_gap(scores, GAMMA),
        ]
    )


def improvement(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.array([metrics.probability_of_improvement(x, y)])


class Recorded(library.StratifiedBootstrap):
    """Keeps its draws: each a list of tasks with the runs drawn for them."""

    def __init__(self, *args):
        super().__init__(*args)
        self.drawn = []

    def update_indices(self):
        indices = super().update_indices()
        self.drawn.append(indices[0].T.tolist())
        return indices


class RecordedPair(library.StratifiedIndependentBootstrap):
    """Keeps its draws: each one of either method."""

    def __init__(self, *args):
        super().__init__(*args)
        self.drawn = []

    def update_indices(self):
        positional, keyed = super().update_indices()
        self.drawn.append([indices[0].T.tolist() for indices in positional])
        return positional, keyed


def main() -> None:
    np.random.seed(7)
    first, second = matrix(7, 0.0), matrix(5, 3.0)
    result = {
        "first": first.T.tolist(),
        "second": second.T.tolist(),
        "gamma": GAMMA,
        "measures": {"first": measures(first).tolist(), "second": measures(second).tolist()},
        "improvement": float(improvement(second, first)[0]),
        "improvement_over_itself": float(improvement(first, first)[0]),
        "thresholds": THRESHOLDS,
        "profile": library.score_distributions(first, THRESHOLDS).tolist(),
    }
    alone = Recorded(first)
    interval = alone.conf_int(measures, reps=DRAWS, size=0.95, method="percentile")
    result["draws"] = alone.drawn
    result["intervals"] = interval.T.tolist()
    pair = RecordedPair(second, first)
    interval = pair.conf_int(improvement, reps=DRAWS, size=0.9, method="percentile")
    result["pair_draws"] = pair.drawn
    result["improvement_interval"] = interval.T.tolist()[0]
    _, many = library.get_interval_estimates({"first": first}, measures, reps=REPETITIONS)
    result["many_intervals"] = many["first"].T.tolist()
    _, many = library.get_interval_estimates({"both": [second, first]}, improvement, reps=REPETITIONS)
    result["many_improvement_interval"] = many["both"].T.tolist()[0]
    with open(sys.argv[1], "w") as file:
        json.dump(result, file)
        file.write("\n")


if __name__ == "__main__":
    main()
