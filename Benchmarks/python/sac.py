"""Times updates of plain PyTorch soft actor-critic, beside `trajectory benchmark sac`.

Networks of 256 x 256 ReLU, batch 256, rate 3e-4, target rate 0.005, learned temperature (Haarnoja et
al. 2018); batches are drawn from a memory of random transitions on the device. Prints JSON with one
key for each shape and variant, and with one shape (--shape) one for each variant:

    eager     the usual loops: two critics as two networks, Adam as PyTorch has it by default
    fused     fused Adam
    compiled  the fused one, losses and targets through torch.compile (needs a C++ compiler)
    graph     the fused one, a whole update as one CUDA graph (cards only)

Example: python sac.py --device cuda --shapes hopper,humanoid --variants eager,graph
"""

import argparse
import copy
import json
import statistics
import sys
import time

import torch
from torch import Tensor, nn

SHAPES = {"hopper": (11, 3), "halfcheetah": (17, 6), "ant": (27, 8), "humanoid": (376, 17)}
VARIANTS = ["eager", "fused", "compiled", "graph"]


def perceptron(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, outputs)
    )


class SoftActorCritic:
    """One update on a batch that is drawn from the memory."""

    def __init__(self, variant: str, shape: str, device: str, batch: int, size: int = 100_000):
        torch.manual_seed(0)
        observation, action = SHAPES[shape]
        self.batch, self.discount, self.rate = batch, 0.99, 0.005
        self.target_entropy = -float(action)
        with torch.device(device):
            self.actor = perceptron(observation, 2 * action)
            self.critics = [perceptron(observation + action, 1) for _ in range(2)]
            self.targets = copy.deepcopy(self.critics)
            self.log_temperature = torch.zeros((), requires_grad=True)
            self.memory = {
                "s": torch.randn(size, observation),
                "a": torch.rand(size, action) * 2 - 1,
                "r": torch.randn(size),
                "terminal": (torch.rand(size) < 0.01).float(),
                "next": torch.randn(size, observation),
            }
        self.device, self.size = device, size
        self.critic_parameters = [p for critic in self.critics for p in critic.parameters()]
        self.target_parameters = [p for target in self.targets for p in target.parameters()]
        options = {"lr": 3e-4}
        if variant != "eager":
            options["fused"] = True
        if variant == "graph":
            options["capturable"] = True
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), **options)
        self.critic_optimizer = torch.optim.Adam(self.critic_parameters, **options)
        self.temperature_optimizer = torch.optim.Adam([self.log_temperature], **options)
        if variant == "compiled":
            self.aim = torch.compile(self.aim)
            self.critic_loss = torch.compile(self.critic_loss)
            self.actor_loss = torch.compile(self.actor_loss)
        self.run = self.update
        if variant == "graph":
            self.capture()

    def act(self, s: Tensor) -> tuple[Tensor, Tensor]:
        """Actions of the policy and the logarithms of their densities."""
        mean, log_deviation = self.actor(s).chunk(2, dim=-1)
        log_deviation = log_deviation.clamp(-20, 2)
        z = torch.randn_like(mean)
        u = mean + log_deviation.exp() * z
        density = -0.5 * z**2 - log_deviation - 0.9189385332046727
        density = density - 2 * (0.6931471805599453 - u - nn.functional.softplus(-2 * u))
        return u.tanh(), density.sum(-1)

    def aim(self, r: Tensor, terminal: Tensor, following: Tensor, temperature: Tensor) -> Tensor:
        """What the critics are to say."""
        with torch.no_grad():
            action, log_density = self.act(following)
            x = torch.cat([following, action], -1)
            q = torch.min(*(target(x).squeeze(-1) for target in self.targets))
            return r + self.discount * (1 - terminal) * (q - temperature * log_density)

    def critic_loss(self, s: Tensor, a: Tensor, y: Tensor) -> Tensor:
        x = torch.cat([s, a], -1)
        return sum(((critic(x).squeeze(-1) - y) ** 2).mean() / 2 for critic in self.critics)

    def actor_loss(self, s: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, and the logarithms of the actions' densities."""
        action, log_density = self.act(s)
        x = torch.cat([s, action], -1)
        q = torch.min(*(critic(x).squeeze(-1) for critic in self.critics))
        return (temperature * log_density - q).mean(), log_density

    def update(self) -> None:
        index = torch.randint(self.size, (self.batch,), device=self.device)
        s, a, r, terminal, following = (values[index] for values in self.memory.values())
        temperature = self.log_temperature.detach().exp()
        y = self.aim(r, terminal, following, temperature)
        loss = self.critic_loss(s, a, y)
        self.critic_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.critic_optimizer.step()

        for parameter in self.critic_parameters:
            parameter.requires_grad_(False)
        loss, log_density = self.actor_loss(s, temperature)
        self.actor_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.actor_optimizer.step()
        for parameter in self.critic_parameters:
            parameter.requires_grad_(True)

        entropy = (log_density.detach() + self.target_entropy).mean()
        self.temperature_optimizer.zero_grad(set_to_none=True)
        (-self.log_temperature * entropy).backward()
        self.temperature_optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.target_parameters, self.critic_parameters, self.rate)

    def capture(self) -> None:
        """Makes `run` the replay of one update."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.update()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.update()
        self.run = graph.replay


def measure(variant: str, shape: str, device: str, batch: int, seconds: float) -> dict:
    """The median speed of groups of updates, from an idle device to an idle device."""
    learner = SoftActorCritic(variant, shape, device, batch)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    for _ in range(10):
        learner.run()
    wait()
    times, group = [], 200 if device == "cuda" else 10
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(group):
            learner.run()
        wait()
        times.append((time.perf_counter() - start) / group)
    return {"updates_per_second": 1 / statistics.median(times)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--shapes", default="hopper", help="separated by commas")
    parser.add_argument("--shape", choices=SHAPES, help="one shape, instead of --shapes")
    parser.add_argument("--variants", default="eager,fused", help="separated by commas")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, help="as many as cores when not given")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    result = {}
    for shape in [options.shape] if options.shape else options.shapes.split(","):
        if shape not in SHAPES:
            parser.error(f"no shape {shape!r}; there are {', '.join(SHAPES)}")
        for variant in options.variants.split(","):
            if variant not in VARIANTS or (variant == "graph" and options.device == "cpu"):
                parser.error(f"no variant {variant!r} on {options.device}")
            try:
                measured = measure(variant, shape, options.device, options.batch, options.seconds)
            except Exception as error:
                if variant != "compiled":
                    raise
                # Most likely no C++ compiler; the other variants are still worth comparing with.
                print(error, file=sys.stderr)
                measured = {"unavailable": f"{type(error).__name__}: {error}".splitlines()[0]}
            result[variant if options.shape else f"{shape} {variant}"] = measured
    if options.shape:
        print(json.dumps(result, indent=2))
    else:
        print(json.dumps({"torch": torch.__version__, "results": result}, indent=2))


if __name__ == "__main__":
    main()
