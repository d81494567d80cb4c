#!/usr/bin/env python3
"""TensorBoard reads the learning curves that this project's tool writes.

    test-tensorboard.py TOOL FOLDER

TOOL is the built `trajectory`; FOLDER is for data and runs. Run by `make test-tensorboard` in an environment that
has TensorBoard.
"""
import csv
import math
import subprocess
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

SMALL = ["--batch-size", "8", "--layers", "1", "--heads", "2", "--width", "16", "--workers", "1"]


def run(tool, *arguments):
    result = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, f"{arguments}: {result.stderr}"


def scalars(folder):
    """All that TensorBoard shows: pairs of step and value under each tag."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def close(a, b, tolerance):
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)


def check(folder, run_folder):
    """What TensorBoard shows is what metrics.csv has, row by row."""
    shown = scalars(folder)
    rows = list(csv.DictReader((run_folder / "metrics.csv").open()))
    columns = {
        "loss/train": "loss",
        "loss/held_out": "held_out_loss",
        "cross_entropy/held_out": "held_out_cross_entropy",
        "cross_entropy/held_out_actions": "held_out_action_cross_entropy",
        "learning_rate": "learning_rate",
        "gradient_norm": "gradient_norm",
        "tokens_per_second": "tokens_per_second",
    }
    assert set(shown) == set(columns), f"the tags are {sorted(shown)}"
    for tag, column in columns.items():
        logged = [(int(row["step"]), float(row[column])) for row in rows if row[column]]
        assert [step for step, _ in shown[tag]] == [step for step, _ in logged], f"{tag}: {shown[tag]} for {logged}"
        # The file of numbers is rounded: the rate to four digits, the speed to whole tokens.
        assert all(close(a, b, 1e-3) for (_, a), (_, b) in zip(shown[tag], logged)), f"{tag}: {shown[tag]} for {logged}"
    return len(rows)


def main(tool, folder):
    folder = Path(folder).resolve()
    data, first, events = folder / "data.hdf5", folder / "run", folder / "events"
    run(tool, "collect", "--env", "hopper", "--policy", "random", "--steps", "2000", "--output", data)
    config = folder / "often.yaml"
    config.write_text("training:\n  evaluationInterval: 10\n")
    begin = ["train", "--dataset", data, "--output", first, "--config", config, "--tensorboard", events, *SMALL]
    run(tool, *begin, "--steps", 40)
    count = check(events, first)
    assert count >= 4, f"{count} rows"
    (file,) = events.iterdir()

    # A run that goes on: what lies beyond its checkpoint is not shown, and a record that was cut short is no obstacle.
    file.write_bytes(file.read_bytes()[:-7])
    run(tool, *begin, "--steps", 60, "--resume")
    later = scalars(events)["loss/held_out"]
    assert [step for step, _ in later][-2:] == [50, 60], f"{later}"
    steps = [step for step, _ in later]
    assert steps == sorted(set(steps)), f"{steps} go back"

    # Every record is whole, by TensorBoard's own reader, which checks both checksums.
    assert len(list(RawEventFileLoader(str(file)).Load())) > count

    # A new run in the same folder takes the place of the old one.
    run(tool, "train", "--dataset", data, "--output", folder / "other", "--tensorboard", events, *SMALL, "--steps", 5)
    assert max(step for step, _ in scalars(events)["loss/train"]) == 5

    # What learns beside the transformer.
    for command, method, losses in [
        ("train-policy", ["--method", "bc"], {"loss/action"}),
        ("train-critic", [], {"loss/value", "loss/q"}),
        ("train-dynamics", [], {"loss/dynamics"}),
    ]:
        target = folder / command
        run(tool, command, *method, "--dataset", data, "--output", folder / f"{command}.safetensors", "--steps", 400,
            "--tensorboard", target)
        shown = scalars(target)
        assert losses < set(shown) and "steps_per_second" in shown, f"{command}: {sorted(shown)}"
        assert [step for step, _ in shown["steps_per_second"]] == [200, 400], f"{command}: {shown}"
    target = folder / "behavior"
    run(tool, "train-behavior", "--env", "hopper", "--output", folder / "sac.safetensors", "--steps", 400,
        "--measure-every", 200, "--warm-up", 100, "--episodes", 1, "--workers", 1, "--tensorboard", target)
    shown = scalars(target)
    assert {"return/measured", "return/training", "loss/critic", "policy/entropy"} < set(shown), f"{sorted(shown)}"
    assert [step for step, _ in shown["return/measured"]] == [200, 400], f"{shown}"
    print(f"TensorBoard reads {count} reports of a run, of one that was resumed, and of four learners")


main(*sys.argv[1:])
