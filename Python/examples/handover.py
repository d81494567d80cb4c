"""An expert begins HalfCheetah's episodes and the planner goes on: does it keep the gait? (docs/decisions/0018)

pip install gymnasium[mujoco] safetensors trajectory_transformer
python handover.py Checkpoints/halfcheetah-medium-expert Sources/Behavior/Policies/halfcheetah-expert.safetensors \
    --steps 0 25 50 100 --replan-interval 1
"""

import argparse

import gymnasium as gym
import numpy as np
from safetensors.numpy import load_file

import trajectory_transformer as tt

parser = argparse.ArgumentParser()
parser.add_argument("checkpoint")
parser.add_argument("expert")
parser.add_argument("--steps", type=int, nargs="+", default=[0, 100], help="steps that the expert takes first")
parser.add_argument("--replan-interval", type=int, default=3)
parser.add_argument("--episodes", type=int, default=5)
parser.add_argument("--length", type=int, default=250)
options = parser.parse_args()
model, weights = tt.load(options.checkpoint), load_file(options.expert)
noise = np.random.default_rng(0)


def expert(observations: np.ndarray) -> np.ndarray:
    """What soft actor-critic's policy samples: a squashed Gaussian."""
    hidden = observations
    for layer in (0, 1):
        hidden = np.maximum(hidden @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"], 0)
    mean, log_deviation = np.split(hidden @ weights["layers.2.weight"].T + weights["layers.2.bias"], 2, axis=1)
    return np.tanh(mean + np.exp(np.clip(log_deviation, -20, 2)) * noise.standard_normal(mean.shape))


for steps in options.steps:
    noise = np.random.default_rng(0)
    envs = [gym.make("HalfCheetah-v5") for _ in range(options.episodes)]
    observations = np.array([env.reset(seed=200 + index)[0] for index, env in enumerate(envs)])
    planner = model.planner(num_envs=options.episodes, preset="quick", replan_interval=options.replan_interval)
    rewards = np.zeros((options.length, options.episodes))
    for step in range(options.length):
        actions = expert(observations) if step < steps else planner.act(observations)
        taken = [env.step(action) for env, action in zip(envs, actions)]
        observations, rewards[step] = np.array([one[0] for one in taken]), [one[1] for one in taken]
        if step >= steps:
            planner.observe(rewards[step])
    means = [f"{part.mean():.1f}" for part in np.array_split(rewards, options.length // 50)]
    print(f"expert's first {steps}: reward a step, by 50 steps:", *means)
