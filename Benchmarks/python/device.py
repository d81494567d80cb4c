"""Times full training steps of the PyTorch peers on a card: forward, backward, clipping, AdamW.

Beside `trajectory-device benchmark`. One line, and one entry of --output, for each variant,
precision, shape and batch:

    eager     attention written out, AdamW as PyTorch has it by default: what the authors' code does
    fused     PyTorch's fused attention and fused AdamW
    compiled  the fused one through torch.compile with its CUDA graphs
    graph     the fused one through torch.compile, and the whole step as one CUDA graph

Precisions: float32; tf32 (products of one TF32 product); bfloat16 (autocast).

Example: python device.py --batches 256 --variants fused,graph --precisions float32,bfloat16
"""

import argparse
import json
import statistics
import sys
import time

import torch
from torch import nn

from model import SHAPES, TrajectoryTransformer
from train import make_optimizer

VARIANTS = ["eager", "fused", "compiled", "graph"]
PRECISIONS = ["float32", "tf32", "bfloat16"]


class Step:
    """A training step of one variant on random tokens that stay on the card."""

    def __init__(self, variant: str, precision: str, shape: str, batch: int):
        torch.manual_seed(0)
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        configuration = SHAPES[shape]
        with torch.device("cuda"):
            self.model = TrajectoryTransformer(configuration, eager=variant == "eager").train()
            size = (batch, configuration.block_size)
            self.tokens, self.targets = torch.randint(configuration.bins, (2, *size))
            self.mask = torch.ones(size)
        self.parameters = list(self.model.parameters())
        self.optimizer = make_optimizer(self.model, rate=1e-4, fused=variant != "eager")
        if variant == "graph":
            for group in self.optimizer.param_groups:
                group["capturable"] = True
        self.autocast = precision == "bfloat16"
        self.loss = self.model.loss
        if variant == "compiled":
            self.loss = torch.compile(self.model.loss, mode="reduce-overhead")
        if variant == "graph":
            self.loss = torch.compile(self.model.loss)
        self.run = self.step
        if variant == "graph":
            self.capture()

    def step(self) -> None:
        """One step, without waiting for the card."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16, enabled=self.autocast):
            loss = self.loss(self.tokens, self.targets, self.mask)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()

    def capture(self) -> None:
        """Makes `run` the replay of one step."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.step()
        self.run = graph.replay


def measure(variant: str, precision: str, shape: str, batch: int, seconds: float) -> dict:
    """Median speed of groups of steps, each timed from an idle card to an idle card."""
    started = time.perf_counter()
    step = Step(variant, precision, shape, batch)
    for _ in range(3):
        step.run()
    torch.cuda.synchronize()
    prepared = time.perf_counter() - started
    times, group = [], 10
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(group):
            step.run()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / group)
    median, tokens = statistics.median(times), step.tokens.numel()
    return {
        "seconds_per_step": median,
        "tokens_per_step": tokens,
        "tokens_per_second": tokens / median,
        "seconds_to_prepare": prepared,
    }


def write(path: str | None, results: list[dict]) -> None:
    """Writes what was measured so far: whoever stops this program keeps it."""
    device = torch.cuda.get_device_name()
    report = {"device": device, "torch": torch.__version__, "results": results}
    if path:
        with open(path, "w") as file:
            json.dump(report, file, indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", default="hopper,halfcheetah", help="separated by commas")
    parser.add_argument("--batches", default="32,256,2048", help="windows, separated by commas")
    parser.add_argument("--variants", default=",".join(VARIANTS), help="separated by commas")
    parser.add_argument("--precisions", default=",".join(PRECISIONS), help="separated by commas")
    parser.add_argument("--seconds", type=float, default=0.5, help="seconds timed for each")
    parser.add_argument("--limit", type=float, default=1e9, help="begin nothing new after so many")
    parser.add_argument("--output", help="a JSON file, written after each measurement")
    options = parser.parse_args()
    started, results = time.perf_counter(), []
    for shape in options.shapes.split(","):
        for variant in options.variants.split(","):
            for precision in options.precisions.split(","):
                for batch in map(int, options.batches.split(",")):
                    if time.perf_counter() - started > options.limit:
                        continue
                    entry = {"shape": shape, "variant": variant, "precision": precision}
                    entry |= {"batch": batch}
                    try:
                        entry |= measure(variant, precision, shape, batch, options.seconds)
                    except Exception as error:
                        entry["unavailable"] = f"{type(error).__name__}: {error}".splitlines()[0]
                    torch.compiler.reset()
                    torch.cuda.empty_cache()
                    speed = entry.get("tokens_per_second", 0) / 1e6
                    print(*list(entry.values())[:4], f"{speed:.3f} M tokens/s", file=sys.stderr)
                    results.append(entry)
                    write(options.output, results)


if __name__ == "__main__":
    main()
