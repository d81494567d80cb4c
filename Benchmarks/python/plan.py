"""Times planning one action with the PyTorch peers, on random weights and tokens.

Prints JSON with one key for each variant:

    authors         every row's whole window forwarded for every token, as the authors' code does
    cached-exact    keys and values remembered; sees exactly what the authors' planner sees
    cached-growing  keys and values remembered; the window grows to the model's context before it
                    slides, so there is less to compute, and late predictions see more of the past

Example: python plan.py --shape halfcheetah --horizon 5 --beam-width 32 --variants cached-exact
"""

import argparse
import json
import statistics
import time

import torch

from cache import CachedPredictor
from model import SHAPES, TrajectoryTransformer
from planner import PlanOptions, WindowPredictor, beam_plan

VARIANTS = ["cached-exact", "cached-growing", "authors"]
PAST_TRANSITIONS = 4


def measure(variant: str, shape: str, horizon: int, beam_width: int, plans: int) -> dict:
    """Median time of `plans` plans."""
    torch.manual_seed(0)
    configuration = SHAPES[shape]
    eager = variant == "authors"
    model = TrajectoryTransformer(configuration, eager).eval().requires_grad_(False)
    bins = configuration.bins
    centers = ((torch.arange(bins) + 0.5) / bins)[:, None].repeat(1, 2)
    length = PAST_TRANSITIONS * configuration.transition_dimension
    length += configuration.observation_dimension

    def plan(horizon: int) -> tuple[float, int]:
        """Seconds, and tokens forwarded."""
        options = PlanOptions(horizon, beam_width)
        context = torch.randint(bins, (length,))
        start = time.perf_counter()
        if variant == "authors":
            predictor = WindowPredictor(model, options)
        else:
            predictor = CachedPredictor(model, options, growing=variant == "cached-growing")
        beam_plan(
            predictor,
            context,
            options,
            configuration.observation_dimension,
            configuration.action_dimension,
            centers,
            torch.rand,
        )
        return time.perf_counter() - start, predictor.forwarded

    plan(horizon=1)  # warms up
    seconds, forwarded = zip(*(plan(horizon) for _ in range(plans)))
    return {"seconds_per_plan": statistics.median(seconds), "forwarded_tokens": forwarded[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="hopper")
    parser.add_argument("--horizon", type=int, default=15, help="planned transitions")
    parser.add_argument("--beam-width", type=int, default=128, help="sequences kept")
    parser.add_argument("--plans", type=int, default=1, help="timed plans; the median counts")
    parser.add_argument("--threads", type=int, help="as many as cores when not given")
    parser.add_argument("--variants", default=",".join(VARIANTS), help="separated by commas")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    result = {}
    for variant in options.variants.split(","):
        if variant not in VARIANTS:
            parser.error(f"no variant {variant!r}; there are {', '.join(VARIANTS)}")
        result[variant] = measure(
            variant, options.shape, options.horizon, options.beam_width, options.plans
        )
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
