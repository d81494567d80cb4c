#!/usr/bin/env python3
"""Turns data of RLDS, LeRobot or tables into an archive of NumPy's, which `trajectory` reads as it reads D4RL's files.

  to-npz.py csv log.csv out.npz --observations x,v --actions force --reward reward --episode episode --terminal done
  to-npz.py lerobot FOLDER out.npz [--observations observation.state] [--actions action]
  to-npz.py rlds d4rl_mujoco_hopper/v2-medium out.npz

CSV needs NumPy alone, LeRobot pandas and pyarrow too, RLDS tensorflow_datasets. An episode ends where its number changes; it is terminal where
the column of terminal states says so in its last row, else cut by a time limit. A reward that is missing is 0.
"""
import argparse
import csv
import pathlib

import numpy as np


def write(path, observations, actions, rewards, episodes, terminal):
    """Rows in order; `episodes` numbers them, `terminal` marks terminal states."""
    episodes = np.asarray(episodes)
    last = np.append(episodes[1:] != episodes[:-1], True)
    terminals = np.asarray(terminal, bool) & last
    columns = dict(
        observations=np.asarray(observations, np.float32).reshape(len(last), -1),
        actions=np.asarray(actions, np.float32).reshape(len(last), -1),
        rewards=np.asarray(rewards, np.float32).reshape(-1), terminals=terminals, timeouts=last & ~terminals)
    for name, values in columns.items():
        if len(values) != len(last):
            raise SystemExit(f"{name} has {len(values)} rows, there are {len(last)}")
    np.savez_compressed(path, **columns)
    print(f"{path}: {len(last)} transitions in {last.sum()} episodes")


def from_csv(source, options):
    with open(source, newline="") as file:
        rows = list(csv.DictReader(file))

    def column(name, default=None):
        if name not in rows[0]:
            if default is None or name != default:
                raise SystemExit(f"{source} has no column '{name}'; it has {', '.join(rows[0])}")
            return np.zeros(len(rows))
        return np.array([float({"true": 1, "false": 0}.get(row[name].strip().lower(), row[name])) for row in rows])

    def columns(names):
        return np.stack([column(name) for name in names.split(",")], 1)

    return (columns(options.observations), columns(options.actions), column(options.reward, "reward"), column(options.episode, "episode"),
            column(options.terminal, "terminal"))


def from_lerobot(source, options):
    import pandas

    files = sorted(pathlib.Path(source).glob("data/**/*.parquet"))
    if not files:
        raise SystemExit(f"there are no data/**/*.parquet in {source}")
    table = pandas.concat([pandas.read_parquet(file) for file in files]).sort_values(["episode_index", "frame_index"])
    names = options.observations.split(",")
    observations = np.concatenate([np.stack(table[name].map(np.atleast_1d).to_list()) for name in names], 1)
    actions = np.stack(table[options.actions].map(np.atleast_1d).to_list())
    zeros = np.zeros(len(table))
    return (observations, actions, table.get("next.reward", zeros), table["episode_index"], table.get("next.success", table.get("next.done", zeros)))


def from_rlds(source, options):
    import tensorflow_datasets

    return rlds_rows(tensorflow_datasets.load(source, split="all"))


def flat(value):
    """An observation as one row; dictionaries by the order of their names."""
    if isinstance(value, dict):
        return np.concatenate([flat(value[name]) for name in sorted(value)])
    return np.asarray(value, np.float32).reshape(-1)


def rlds_rows(episodes):
    """In RLDS the last step of an episode holds only an observation; whether that is terminal is said of it."""
    observations, actions, rewards, numbers, terminal = [], [], [], [], []
    for number, episode in enumerate(episodes):
        steps = [dict(step) for step in episode["steps"]]
        for step, after in zip(steps, steps[1:]):
            observations.append(flat(step["observation"]))
            actions.append(flat(step["action"]))
            rewards.append(float(np.asarray(step["reward"])))
            numbers.append(number)
            terminal.append(bool(np.asarray(after["is_last"])) and bool(np.asarray(after["is_terminal"])))
    return observations, actions, rewards, numbers, terminal


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["csv", "lerobot", "rlds"])
    parser.add_argument("source")
    parser.add_argument("output")
    parser.add_argument("--observations", default="observation.state", help="columns, with commas")
    parser.add_argument("--actions", default="action", help="columns, with commas")
    parser.add_argument("--reward", default="reward")
    parser.add_argument("--episode", default="episode")
    parser.add_argument("--terminal", default="terminal")
    options = parser.parse_args()
    write(options.output, *{"csv": from_csv, "lerobot": from_lerobot, "rlds": from_rlds}[options.kind](options.source, options))


if __name__ == "__main__":
    main()
