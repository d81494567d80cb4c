"""Times full training steps of the PyTorch peers: forward, backward, clipping, AdamW.

Prints JSON with one key for each variant:

    eager     attention written out, AdamW as PyTorch has it by default: what the authors' code does
    fused     PyTorch's fused attention and fused AdamW
    compiled  the fused one through torch.compile (needs a C++ compiler)
    autocast, compiled-autocast
              the same two with products of bfloat16 factors

Example: python train.py --shape hopper --batch 32 --variants eager,fused
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from model import SHAPES, TrajectoryTransformer

VARIANTS = ["eager", "fused", "compiled", "autocast", "compiled-autocast"]


def make_optimizer(model: nn.Module, rate: float, fused: bool) -> torch.optim.AdamW:
    """AdamW that decays the weights of linear layers and heads, and nothing else."""
    decayed, others = [], []
    for name, parameter in model.named_parameters():
        is_matrix = name.endswith(".weight") and parameter.dim() > 1 and name != "tok_emb.weight"
        (decayed if is_matrix else others).append(parameter)
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), eps=1e-8, fused=fused)


def training_step(
    loss: Callable[[], Tensor], parameters: list[nn.Parameter], optimizer: torch.optim.Optimizer
) -> tuple[float, float]:
    """One step; returns the loss and the norm of the gradient before clipping."""
    optimizer.zero_grad(set_to_none=True)
    value = loss()
    value.backward()
    norm = nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    return value.item(), norm.item()


def measure(variant: str, shape: str, batch: int, steps: int, warm_up: int) -> dict:
    """Median speed of `steps` steps with dropout on random tokens."""
    torch.manual_seed(0)
    configuration = SHAPES[shape]
    model = TrajectoryTransformer(configuration, eager=variant == "eager").train()
    parameters = list(model.parameters())
    optimizer = make_optimizer(model, rate=1e-4, fused=variant != "eager")
    compiles = variant.startswith("compiled")
    loss = torch.compile(model.loss) if compiles else model.loss
    precision = torch.autocast("cpu", torch.bfloat16, enabled=variant.endswith("autocast"))

    def cast_loss() -> Tensor:
        with precision:
            return loss(tokens, targets, mask)

    size = (batch, configuration.block_size)
    tokens, targets = torch.randint(configuration.bins, (2, *size))
    mask = torch.ones(size)

    seconds = []
    for step in range(warm_up + steps):
        start = time.perf_counter()
        training_step(cast_loss, parameters, optimizer)
        if step >= warm_up:
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    return {
        "seconds_per_step": median,
        "tokens_per_step": tokens.numel(),
        "tokens_per_second": tokens.numel() / median,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="hopper")
    parser.add_argument("--batch", type=int, default=32, help="windows in a batch")
    parser.add_argument("--steps", type=int, default=15, help="timed steps; the median counts")
    parser.add_argument("--warm-up", type=int, default=2, help="steps before that")
    parser.add_argument("--threads", type=int, help="as many as cores when not given")
    parser.add_argument("--variants", default=",".join(VARIANTS), help="separated by commas")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    result = {}
    for variant in options.variants.split(","):
        if variant not in VARIANTS:
            parser.error(f"no variant {variant!r}; there are {', '.join(VARIANTS)}")
        try:
            result[variant] = measure(
                variant, options.shape, options.batch, options.steps, options.warm_up
            )
        except Exception as error:
            if not variant.startswith("compiled"):
                raise
            # Most likely no C++ compiler; the other variants are still worth comparing with.
            print(error, file=sys.stderr)
            result[variant] = {"unavailable": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
