"""Draws learning curves: `learning_picture.py PICTURE`, the runs of learning.py on standard input."""

import json
import sys

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

runs = [run for run in json.load(sys.stdin) if run["seed"] == 0]
recipes = list(dict.fromkeys(run["recipe"] for run in runs))
panels = list(dict.fromkeys((run["data"], run["size"]) for run in runs))
figure, rows = pyplot.subplots(
    len(panels), 2, figsize=(9, 3.4 * len(panels)), squeeze=False, layout="constrained"
)
for row, (data, size) in zip(rows, panels):
    for axes, (key, title) in zip(row, [("all", "all tokens"), ("action", "action tokens")]):
        for run in runs:
            if (run["data"], run["size"]) != (data, size):
                continue
            points = [point for point in run["curve"] if point["step"] >= 100]
            axes.plot(
                [point["tokens"] / 1e6 for point in points], [point[key] for point in points],
                label=run["recipe"], color=f"C{recipes.index(run['recipe'])}", linewidth=2 if run["recipe"] in ("authors", "quick") else 1,
            )  # fmt: skip
        axes.set_title(f"{data}, {size}: {title}", fontsize=9)
        axes.set_xlabel("million tokens seen")
        axes.grid(alpha=0.3)
    row[0].set_ylabel("held-out cross entropy, nats")
lines = {line.get_label(): line for line in rows[0][0].get_lines()}
figure.legend(
    lines.values(), lines.keys(), loc="outside lower center", ncols=4, fontsize=8, frameon=False
)
figure.savefig(sys.argv[1], dpi=110)
