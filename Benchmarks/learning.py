#!/usr/bin/env python3
"""Held-out loss against tokens seen, for the authors' recipe and each change to it.

    Benchmarks/learning.py            the paper's size and the small one, three data sets: hours
    Benchmarks/learning.py --quick    the small size, hopper and halfcheetah: 20 minutes on 2 cores

Data sets are made by `trajectory collect --dataset NAME` in runs/learning/data, or taken from
--data FOLDER (NAME.hdf5). Every run is a `trajectory train` of its own, with a schedule of its own
length; runs that are there are not repeated. What was measured goes to
Benchmarks/results/learning.json (--quick: learning-quick.json), a picture beside it.
"""

import argparse
import csv
import datetime
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from compare import Peer, ComparisonError, commit, machine, note, peer_python

ROOT = Path(__file__).resolve().parent.parent
MATPLOTLIB = Peer("matplotlib", "matplotlib", "requirements-picture.txt", "matplotlib")

RECIPES = {
    "authors": "--recipe authors",
    "no dropout": "--recipe authors --dropout 0",
    "rate": "--recipe authors --dropout 0 --learning-rate {rate}",
    "rate, smooth start": "--recipe authors --dropout 0 --learning-rate {rate} --start smooth",
    "rate, Muon": "--recipe authors --dropout 0 --learning-rate {rate} --optimizer muon",
    "quick": "--recipe quick",
}
"""The authors' recipe, one change after the other, and all of them: the default."""


@dataclass(frozen=True)
class Size:
    """A model, its batches, and the length of a whole run."""

    name: str
    options: str
    steps: int
    rate: str
    """Of AdamW, where it is not the authors': the best of a few tried."""
    interval: int
    """Steps between measurements."""


SMALL = Size(
    "2 layers of 64", "--layers 2 --width 64 --window 5 --batch-size 64", 1000, "8e-3", 100
)
PAPER = Size(
    "4 layers of 128", "--layers 4 --width 128 --window 10 --batch-size 256", 1000, "4e-3", 100
)
THIRD = "quick, a third of the tokens"


def runs(quick: bool) -> list[tuple[str, Size, str, int]]:
    """Data set, size, recipe and seed of every run."""
    ends = ["authors", "quick", THIRD]
    result = [("hopper-medium-expert", SMALL, recipe, 0) for recipe in [*RECIPES, THIRD]]
    result += [("hopper-medium-expert", SMALL, recipe, seed) for seed in (1, 2) for recipe in ends]
    result += [("halfcheetah-medium", SMALL, recipe, 0) for recipe in ends]
    if quick:
        return result
    result += [("antmaze-medium-diverse", SMALL, recipe, 0) for recipe in ends]
    result += [("hopper-medium-expert", PAPER, recipe, 0) for recipe in [*RECIPES, THIRD]]
    result += [("hopper-medium-expert", PAPER, recipe, seed) for seed in (1, 2) for recipe in ends]
    result += [
        (data, PAPER, recipe, 0)
        for data in ("halfcheetah-medium", "antmaze-medium-diverse")
        for recipe in ends
    ]
    return result


def data_file(program: Path, name: str, folder: Path | None) -> Path:
    """The tokens of a data set, made if need be: they are mapped, where a dataset is read."""
    place = ROOT / "runs" / "learning" / "data"
    place.mkdir(parents=True, exist_ok=True)
    tokens = place / f"{name}.tokens"
    if not tokens.exists():
        dataset = (folder or place) / f"{name}.hdf5"
        if not dataset.exists():
            note(f"making {name}")
            call(program, "collect", "--dataset", name, "--seed", 0, "--output", dataset)
        call(program, "dataset", "tokenize", dataset, "--output", tokens)
    return tokens


def call(program: Path, *arguments: object) -> None:
    """Runs a command of the tool."""
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise ComparisonError(f"trajectory {arguments[0]} failed: {done.stderr.strip()[-300:]}")


def train(program: Path, tokens: Path, size: Size, recipe: str, seed: int, extra: list[str]) -> dict:
    """One run, or what is there of it: its options and its held-out measurements."""
    steps = size.steps // 3 if recipe == THIRD else size.steps
    options = RECIPES["quick" if recipe == THIRD else recipe].format(rate=size.rate).split()
    options += [*size.options.split(), "--steps", str(steps), "--seed", str(seed), *extra]
    name = "-".join([tokens.stem, size.name, recipe, str(seed)]).replace(" ", "-").replace(",", "")
    folder = ROOT / "runs" / "learning" / name
    config = folder.parent / f"{size.interval}.yaml"
    config.write_text(f"training: {{evaluationInterval: {size.interval}}}\n")
    log = folder / "metrics.csv"
    if not log.exists() or last_step(log) < steps:
        resume = ["--resume"] if (folder / "checkpoint.json").exists() else []
        call(
            program, "train", "--dataset", tokens, "--output", folder, "--config", config,
            *options, *resume,
        )
    curve = [
        {
            "step": int(row["step"]),
            "tokens": int(row["tokens"]),
            "seconds": float(row["seconds"]),
            "held_out_loss": float(row["held_out_loss"]),
            "all": float(row["held_out_cross_entropy"]),
            "action": float(row["held_out_action_cross_entropy"]),
        }
        for row in csv.DictReader(log.open())
        if row["held_out_loss"]
    ]
    return {
        "data": tokens.stem, "size": size.name, "recipe": recipe, "seed": seed,
        "options": " ".join(options), "curve": curve,
    }  # fmt: skip


def last_step(log: Path) -> int:
    """The last step that a log tells of."""
    rows = list(csv.DictReader(log.open()))
    return int(rows[-1]["step"]) if rows else 0


def table(results: list[dict]) -> str:
    """The ends of all runs, and when they reached that of the authors' recipe; of several seeds
    mean and half the range."""
    lines = [
        "| data | model | recipe | seeds | tokens, millions | weighted | all tokens | actions "
        "| authors' loss after |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple, list[list[dict]]] = {}
    for result in results:
        key = (result["data"], result["size"], result["recipe"])
        groups.setdefault(key, []).append(result["curve"])
    for (data, size, recipe), curves in groups.items():
        ends = [curve[-1] for curve in curves]
        goals = [curve[-1]["held_out_loss"] for curve in groups[data, size, "authors"]]
        goal = sum(goals) / len(goals)
        reached = [
            next((p["tokens"] for p in curve if p["held_out_loss"] <= goal), None)
            for curve in curves
        ]
        cells = []
        for key in ("held_out_loss", "all", "action"):
            values = [end[key] for end in ends]
            spread = f" ± {(max(values) - min(values)) / 2:.3f}" if len(values) > 1 else ""
            cells.append(f"{sum(values) / len(values):.3f}{spread}")
        tokens = f"{ends[0]['tokens'] / 1e6:.1f}"
        whole = [count for count in reached if count is not None]
        late = "–" if len(whole) < len(reached) else f"{max(whole) / 1e6:.1f}"
        cells.append("" if recipe == "authors" else late)
        lines.append("| " + " | ".join([data, size, recipe, str(len(ends)), tokens, *cells]) + " |")
    return "\n".join(lines)


def draw(results: list[dict], picture: Path) -> None:
    """Curves of the first seed, a panel for each data set and size."""
    script = ROOT / "Benchmarks" / "python" / "learning_picture.py"
    subprocess.run(
        [peer_python(MATPLOTLIB), script, picture], input=json.dumps(results), text=True, check=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the small size alone")
    parser.add_argument("--data", type=Path, help="a folder of NAME.hdf5")
    parser.add_argument("--workers", help="worker threads; one for each core if not given")
    parser.add_argument(
        "--program", type=Path, default=ROOT / ".build/release/trajectory", help="the tool"
    )
    options = parser.parse_args()
    name = "learning-quick" if options.quick else "learning"
    folder = ROOT / "Benchmarks" / "results"
    extra = ["--workers", options.workers] if options.workers else []
    record = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "runs": [],
    }
    try:
        for data, size, recipe, seed in runs(options.quick):
            tokens = data_file(options.program, data, options.data)
            run = train(options.program, tokens, size, recipe, seed, extra)
            record["runs"].append(run)
            end = run["curve"][-1]
            note(
                f"{data}, {size.name}, {recipe}, seed {seed}: {end['held_out_loss']:.3f} after "
                f"{end['tokens'] / 1e6:.1f} million tokens, {end['seconds']:.0f} s"
            )
            (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
        draw(record["runs"], ROOT / "docs" / "images" / f"{name}.png")
    except (ComparisonError, subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"error: {error}")
    print(table(record["runs"]))


if __name__ == "__main__":
    main()
