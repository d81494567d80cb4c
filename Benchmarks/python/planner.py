"""The return-maximising beam search of the Trajectory Transformer, over any predictor of tokens.

Shapes in comments: R rows, T tokens, W beam width, E expansion factor, D tokens in a transition,
V = bins + 1 tokens.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from model import TrajectoryTransformer


@dataclass(frozen=True)
class Filter:
    """Which tokens may be sampled; none are left out by default."""

    top_k: int | None = None
    cdf: float | None = None


@dataclass(frozen=True)
class PlanOptions:
    """How far, how wide and by what rules to search; defaults are the authors' for Hopper."""

    horizon: int = 15
    beam_width: int = 128
    expansion: int = 2
    context_transitions: int = 5
    observation: Filter = Filter(top_k=1)
    action: Filter = Filter(cdf=0.6)
    reward: Filter = Filter(top_k=1)
    discount: float = 0.99


class Predictor(Protocol):
    """Predicts the next token of every row of a search."""

    initial_rows: int
    """Rows to start with: a predictor that shares work wants one, the authors' has all of them."""

    def logits(self, tokens: Tensor) -> Tensor:
        """Logits [R, V] of the token that follows `tokens` [R, T]."""

    def select(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """The search goes on with these rows, in this order; returns `tokens[rows]`."""


class Window:
    """Which tokens of a row the model sees.

    When the window exceeds `limit`, whole transitions leave it until it fits into `block`, and
    positions restart. The authors' code has one number for both.
    """

    def __init__(self, model: TrajectoryTransformer, context_transitions: int, growing: bool):
        size = model.configuration.block_size
        self.dimension = model.configuration.transition_dimension
        self.block = min(size, context_transitions * self.dimension - 1)
        self.limit = size if growing else self.block
        self.first: int | None = None

    def start(self, length: int) -> int:
        """Index of the first token seen of `length` tokens."""
        if self.first is None or length - self.first > self.limit:
            excess = max(0, length - self.block)
            self.first = self.dimension * math.ceil(excess / self.dimension)
        return self.first


class WindowPredictor:
    """Forwards every row's whole window for every token, as the authors' code does.

    Theirs does not grow; a growing one is what the cache is checked against.
    """

    def __init__(self, model: TrajectoryTransformer, options: PlanOptions, growing: bool = False):
        self.model = model
        self.window = Window(model, options.context_transitions, growing)
        self.initial_rows = options.beam_width
        self.forwarded = 0

    def logits(self, tokens: Tensor) -> Tensor:
        seen = tokens[:, self.window.start(tokens.shape[1]) :]
        self.forwarded += seen.numel()
        return self.model(seen)[:, -1]

    def select(self, tokens: Tensor, rows: Tensor) -> Tensor:
        return tokens[rows]


def filtered(logits: Tensor, rule: Filter) -> Tensor:
    """Logits without the tokens that `rule` leaves out."""
    if rule.cdf is not None:
        # Drops the low tail of mass below cdf: always one token at least, ties with the last too.
        probabilities = logits.softmax(dim=-1)
        ascending = probabilities.sort(dim=-1).values
        below = ascending.cumsum(dim=-1) < rule.cdf
        last = (below.sum(dim=-1, keepdim=True) - 1).clamp(min=0)
        logits = logits.masked_fill(probabilities <= ascending.gather(-1, last), -1000.0)
    if rule.top_k is not None:
        smallest = logits.topk(rule.top_k, dim=-1).values[:, -1:]
        logits = logits.masked_fill(logits < smallest, -math.inf)
    return logits


def sample(logits: Tensor, rule: Filter, uniforms: Tensor) -> Tensor:
    """One token [R] for each row, by inverse CDF of the filtered distribution."""
    if rule.top_k == 1:
        return logits.argmax(dim=-1)
    cumulative = filtered(logits, rule).softmax(dim=-1).cumsum(dim=-1, dtype=torch.float64)
    tokens = torch.searchsorted(cumulative, uniforms[:, None].double(), right=True)[:, 0]
    return tokens.clamp(max=logits.shape[-1] - 1)


@torch.inference_mode()
def beam_plan(
    predictor: Predictor,
    context: Tensor,
    options: PlanOptions,
    observation_dimension: int,
    action_dimension: int,
    centers: Tensor,
    uniforms: Callable[[int], Tensor],
    trace: list[dict[str, Tensor]] | None = None,
) -> Tensor:
    """The best plan found, [horizon, D] tokens from the current observation on.

    `context` are the tokens up to the current observation. `centers` [bins, 2] are the rewards
    and values that bins stand for; both are read as means. `uniforms(n)` gives n numbers in
    [0, 1), one for each token sampled. `trace` receives what the search looked at.
    """

    def extend(tokens: Tensor, rule: Filter) -> tuple[Tensor, Tensor]:
        """Tokens with one more, and the logits it was sampled from."""
        logits = predictor.logits(tokens)
        drawn = sample(logits, rule, uniforms(len(tokens)))
        return torch.cat([tokens, drawn[:, None]], dim=1), logits

    def mean(logits: Tensor, column: int) -> Tensor:
        """Expected reward (column 0) or value (1); mass on termination counts as 0."""
        return logits.softmax(dim=-1)[:, :-1] @ centers[:, column]

    tokens = context.repeat(predictor.initial_rows, 1)
    # [R, horizon + 1]: predicted rewards, and the value after the last one.
    returns = torch.zeros(len(tokens), options.horizon + 1)
    discounts = options.discount ** torch.arange(options.horizon + 1)
    for step in range(options.horizon):
        # New row e * W + w continues old row w.
        copies = options.expansion * options.beam_width // len(tokens)
        rows = torch.arange(len(tokens)).repeat(copies)
        tokens, returns = predictor.select(tokens, rows), returns[rows]
        for _ in range(action_dimension):
            tokens, _ = extend(tokens, options.action)
        tokens, reward = extend(tokens, options.reward)
        tokens, value = extend(tokens, options.reward)
        returns[:, step] = mean(reward, 0)
        returns[:, step + 1] = mean(value, 1)
        values = returns @ discounts
        kept = values.topk(options.beam_width).indices
        if trace is not None:
            trace.append({"candidate_tokens": tokens, "candidate_values": values, "kept": kept})
        tokens, returns = predictor.select(tokens, kept), returns[kept]
        if step < options.horizon - 1:
            for _ in range(observation_dimension):
                tokens, _ = extend(tokens, options.observation)
    dimension = observation_dimension + action_dimension + 2
    return tokens[0, -options.horizon * dimension :].view(options.horizon, dimension)
