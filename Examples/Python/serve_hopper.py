"""An environment of Gymnasium under a planner that is served elsewhere, on this machine or another.

pip install openpi-client "gymnasium[mujoco]"
trajectory serve Checkpoints/hopper    # in another window
python serve_hopper.py
"""

import argparse

import gymnasium as gym
from openpi_client.websocket_client_policy import WebsocketClientPolicy

parser = argparse.ArgumentParser()
parser.add_argument("--env", default="Hopper-v5")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=8000)
parser.add_argument("--api-key")
parser.add_argument("--episodes", type=int, default=1)
parser.add_argument("--steps", type=int, default=1000, help="at most, of an episode")
options = parser.parse_args()

planner = WebsocketClientPolicy(options.host, options.port, options.api_key)
print(planner.get_server_metadata())
env = gym.make(options.env, max_episode_steps=options.steps)
for episode in range(options.episodes):
    observation, _ = env.reset(seed=episode)
    # The server remembers what happened: each step tells what the last action brought.
    message = {"observation": observation, "reset": True}
    total, over = 0.0, False
    while not over:
        plan = planner.infer(message)  # actions and what they should bring, a row for each step ahead
        action = plan["actions"][0].clip(env.action_space.low, env.action_space.high)
        observation, reward, terminated, truncated, _ = env.step(action.astype(env.action_space.dtype))
        message = {"observation": observation, "reward": reward}
        total += reward
        over = terminated or truncated
    print(f"episode {episode}: return {total:.1f}")
