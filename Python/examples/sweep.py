"""Searches settings of training and planning with Optuna, over processes of one machine or a Ray cluster.

python sweep.py --trials 40 --processes 4
ray job submit -- python sweep.py --trials 400 --processes 64 --ray --storage /shared/sweep.log
"""

import argparse
import multiprocessing

import gymnasium as gym
import minari
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

import trajectory_transformer as tt


def score(trial: optuna.Trial, options: argparse.Namespace) -> float:
    dataset = tt.Dataset.from_minari(minari.load_dataset(options.dataset))
    trainer = tt.Trainer(
        dataset, steps=options.steps, workers=1, width=trial.suggest_categorical("width", [32, 64, 128]),
        window=trial.suggest_int("window", 4, 10),
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 1e-2, log=True),
    )  # fmt: skip
    with trainer:
        for progress in trainer:
            if progress.held_out_loss is not None:
                trial.report(-progress.held_out_loss, progress.step)
    env = gym.make(options.env)
    planner = trainer.model.planner(
        horizon=trial.suggest_int("horizon", 2, 15), beam_width=trial.suggest_int("beam_width", 4, 64, log=True),
        unlikely_share=trial.suggest_float("unlikely_share", 0, 0.5), action_space=env.action_space, workers=1,
    )  # fmt: skip
    return tt.rollout(env, planner, episodes=options.episodes, max_steps=options.max_steps).mean


def work(options: argparse.Namespace) -> None:
    study = optuna.load_study(study_name="sweep", storage=JournalStorage(JournalFileBackend(options.storage)))
    share = optuna.study.MaxTrialsCallback(options.trials, states=(optuna.trial.TrialState.COMPLETE,))
    study.optimize(lambda trial: score(trial, options), callbacks=[share])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mujoco/hopper/medium-v0", help="a Minari dataset")
    parser.add_argument("--env", default="Hopper-v5")
    parser.add_argument("--storage", default="sweep.log", help="a file that all processes reach")
    parser.add_argument("--ray", action="store_true", help="processes are a Ray cluster's")
    for name, number in (("trials", 20), ("processes", 2), ("steps", 2000), ("episodes", 5), ("max-steps", 1000)):
        parser.add_argument(f"--{name}", type=int, default=number)
    options = parser.parse_args()
    storage = JournalStorage(JournalFileBackend(options.storage))
    optuna.create_study(study_name="sweep", storage=storage, direction="maximize", load_if_exists=True)
    if options.ray:
        import ray

        ray.get([ray.remote(work).remote(options) for _ in range(options.processes)])
    else:
        # Spawned, not forked: threads do not survive a fork.
        with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
            pool.map(work, [options] * options.processes)
    best = optuna.load_study(study_name="sweep", storage=storage).best_trial
    print(f"mean return {best.value:.1f} with {best.params}")
