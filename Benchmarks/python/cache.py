"""A predictor that remembers keys and values: what PyTorch can do when the search is written well.

What it saves over forwarding whole windows:

* a token is forwarded once for each window it is in, and only when its output is wanted, so those
  of dropped rows never are; equal rows (the first ones, and the copies made by expansion) share it;
* value tokens are never attended to: their keys are not kept, which leaves nothing to mask, and
  inside a window they are not forwarded at all;
* of a window only the last token's logits are computed, by one head, and the last layer computes
  nothing but keys and values for the tokens before it;
* keys and values lie in tensors allocated once, written in place.

It does not share the prefixes that different rows have in common.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from model import TrajectoryTransformer
from planner import PlanOptions, Window


class CachedPredictor:
    """Predicts the next token from keys and values of the tokens before it.

    With `growing` the window grows until the model's context is full and is then recomputed from
    the authors' window; without, it is exactly the authors' window at every token.
    """

    def __init__(self, model: TrajectoryTransformer, options: PlanOptions, growing: bool):
        configuration = model.configuration
        self.model = model
        self.heads = configuration.heads
        self.dimension = configuration.transition_dimension
        self.window = Window(model, options.context_transitions, growing)
        self.initial_rows = 1
        self.forwarded = 0
        # Query, key and value of a layer in one matrix product.
        self.projections = [
            (
                torch.cat([f.weight for f in (layer.attn.query, layer.attn.key, layer.attn.value)]),
                torch.cat([f.bias for f in (layer.attn.query, layer.attn.key, layer.attn.value)]),
            )
            for layer in model.blocks
        ]
        # [layers, 2, R, H, capacity, h]: keys and values of the tokens cached; and a second one
        # into which rows are copied when the search selects.
        rows = options.expansion * options.beam_width
        size = (configuration.layers, 2, rows, self.heads, self.window.limit)
        self.memory = torch.empty(*size, configuration.width // self.heads)
        self.spare = torch.empty_like(self.memory)
        self.start = 0  # index of the window's first token
        self.end = 0  # length of the rows that `latest` follows
        self.cached = 0  # tokens whose keys and values are held
        self.latest: Tensor | None = None  # logits after the last token, once computed

    def logits(self, tokens: Tensor) -> Tensor:
        if self.latest is None or self.end < tokens.shape[1]:
            self.latest = self.advance(tokens)
        return self.latest

    def select(self, tokens: Tensor, rows: Tensor) -> Tensor:
        if len(rows) > len(tokens):
            # Rows are about to be copied: compute what the copies share first.
            self.latest = self.logits(tokens)[rows]
        else:
            self.latest = None
        for old, new in zip(self.memory.flatten(0, 1), self.spare.flatten(0, 1)):
            torch.index_select(
                old[:, :, : self.cached], 0, rows, out=new[: len(rows), :, : self.cached]
            )
        self.memory, self.spare = self.spare, self.memory
        return tokens[rows]

    def advance(self, tokens: Tensor) -> Tensor:
        """Logits after `tokens` [R, T], of which all but the last were forwarded before."""
        length = tokens.shape[1]
        start = self.window.start(length)
        if self.cached == 0 or start != self.start:
            # A new window: keys and values of all tokens before the last one, less the values.
            self.start, self.cached = start, 0
            positions = torch.arange(length - 1 - start)
            positions = positions[positions % self.dimension != self.dimension - 1]
            self.forward(tokens[:, start + positions], positions, logits=False)
        self.end = length
        return self.forward(tokens[:, -1:], torch.tensor([length - 1 - start]), logits=True)

    def forward(self, tokens: Tensor, positions: Tensor, logits: bool) -> Tensor | None:
        """Forwards tokens [R, t] at `positions` [t]: one, or the several that begin a window."""
        rows, count = tokens.shape
        self.forwarded += tokens.numel()
        dimension = int(positions[-1]) % self.dimension
        known = self.cached
        if dimension != self.dimension - 1:
            self.cached += count
        x = self.model.embed(tokens, positions)
        for layer, block in enumerate(self.model.blocks):
            projected = F.linear(block.ln1(x), *self.projections[layer])
            # Each [R, H, t, h].
            query, key, value = projected.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
            keys, values = self.memory[layer, :, :rows, :, : self.cached]
            if self.cached > known:
                keys[:, :, known:] = key
                values[:, :, known:] = value
            if not logits and layer == len(self.model.blocks) - 1:
                return None
            y = F.scaled_dot_product_attention(query, keys, values, is_causal=count > 1)
            x = x + block.attn.proj(y.transpose(1, 2).flatten(2))
            x = x + block.mlp(block.ln2(x))
        return self.model.ln_f(x[:, -1]) @ self.model.head.weight[dimension].T
