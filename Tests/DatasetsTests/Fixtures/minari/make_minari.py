#!/usr/bin/env python3
"""Writes the Minari datasets of this folder with Minari's own package.

    pip install "minari[hdf5]==0.5.4"
    python make_minari.py FOLDER

boxes-v0: box observations and actions in double precision; maze-v0: dictionary observations as the goal
mazes have them, with infos. Twelve and four episodes; twelve, so that the order by name is not the order by number.
Every number follows from its place (value()), so that the test knows it.
"""
import os
import sys

import numpy as np

LENGTHS = [5, 1, 3, 7, 2, 4, 6, 1, 2, 3, 8, 4]


def value(episode, row, column):
    return episode + row / 16 + column / 256


def rows(episode, count, columns, offset):
    return np.array(
        [[value(episode, row, offset + column) for column in range(columns)] for row in range(count)]
    )


def main(root):
    os.environ["MINARI_DATASETS_PATH"] = os.path.abspath(root)
    import gymnasium as gym
    import minari
    from minari.data_collector import EpisodeBuffer

    def buffers(lengths, observations, infos):
        for episode, length in enumerate(lengths):
            flags = np.zeros((2, length), dtype=bool)
            # Terminal, cut, both, neither, and so on.
            flags[0, -1] = episode % 4 in (0, 2)
            flags[1, -1] = episode % 4 in (1, 2)
            yield EpisodeBuffer(
                seed=100 + episode,
                observations=observations(episode, length + 1),
                actions=rows(episode, length, 2, 100).astype(np.float32),
                rewards=[value(episode, row, 200) for row in range(length)],
                terminations=flags[0],
                truncations=flags[1],
                infos=infos(length),
            )

    box = gym.spaces.Box
    actions = box(-1, 1, (2,), np.float32)
    free = lambda size: box(-np.inf, np.inf, (size,), np.float64)
    common = dict(
        action_space=actions,
        algorithm_name="numbers",
        author="tests",
        author_email="none",
        code_permalink="none",
        description="Numbers that follow from their place.",
    )
    minari.create_dataset_from_buffers(
        "boxes-v0",
        list(buffers(LENGTHS, lambda e, n: rows(e, n, 3, 0), lambda n: None)),
        env="CartPole-v1",  # its name; the numbers are not of it
        observation_space=free(3),
        **common,
    )
    minari.create_dataset_from_buffers(
        "maze-v0",
        list(
            buffers(
                LENGTHS[:4],
                lambda e, n: {
                    "observation": rows(e, n, 4, 0),
                    "achieved_goal": rows(e, n, 2, 50),
                    "desired_goal": rows(e, n, 2, 60),
                },
                lambda n: {"success": np.ones(n + 1, dtype=bool), "qpos": np.zeros((n + 1, 3))},
            )
        ),
        env=None,
        observation_space=gym.spaces.Dict(
            {"achieved_goal": free(2), "desired_goal": free(2), "observation": free(4)}
        ),
        **common,
    )


if __name__ == "__main__":
    main(sys.argv[1])
