"""The package beside PyTorch, loaded before or after it: `with_torch.py before|after`."""

import sys

if sys.argv[1] == "before":
    import torch

    import trajectory_transformer as tt
else:
    import trajectory_transformer as tt

    model = tt.load("hopper")
    model.planner().plan([1.25] + [0.0] * 10)

    import torch

import gymnasium as gym
import numpy as np

model = tt.load("hopper")
env = gym.make("Hopper-v5", max_episode_steps=40)
planner = model.planner(action_space=env.action_space)
first = tt.rollout(env, planner, episodes=1)

# PyTorch computes on its threads beside ours.
x = torch.randn(64, 32, generator=torch.Generator().manual_seed(0))
layer = torch.nn.Linear(32, 8)
optimizer = torch.optim.Adam(layer.parameters())
for _ in range(20):
    loss = layer(x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    planner.plan(np.zeros(11))
assert torch.isfinite(loss), loss
again = tt.rollout(env, planner, episodes=1)
assert first.returns.tolist() == again.returns.tolist(), (first, again)

# Parameters go over without a copy, and come back.
state = {name: torch.from_numpy(values) for name, values in model.state_dict().items()}
module = torch.nn.ParameterDict({name.replace(".", "/"): torch.nn.Parameter(values) for name, values in state.items()})
back = model.with_state_dict({name.replace("/", "."): values for name, values in module.items()})
assert all(np.array_equal(back.state_dict()[name], values.numpy()) for name, values in state.items())
print(f"PyTorch {torch.__version__} {sys.argv[1]} the package: return {first.returns[0]:.3f}")
