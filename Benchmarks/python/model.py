"""The Trajectory Transformer in plain PyTorch, a peer to measure against.

A GPT over the tokens of transitions (Janner, Li, Levine 2021, arXiv 2106.02039): every dimension
of a transition (observation, action, reward, value) has its own vocabulary and its own output
head, and value tokens are never attended to. Parameters are named as in the authors' checkpoints.

Shapes in comments: B rows, T tokens, C channels, H heads, h = C / H, D tokens in a transition,
V = bins + 1 tokens that a head can predict (the last one means termination).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Configuration:
    """What fixes the shape of a model; defaults are the paper's for locomotion."""

    observation_dimension: int
    action_dimension: int
    bins: int = 100
    layers: int = 4
    heads: int = 4
    width: int = 128
    transitions: int = 10
    dropout: float = 0.1
    action_weight: float = 5
    reward_weight: float = 1
    value_weight: float = 1

    @property
    def transition_dimension(self) -> int:
        """Tokens in a transition: observation, action, reward, value."""
        return self.observation_dimension + self.action_dimension + 2

    @property
    def block_size(self) -> int:
        """Longest sequence in tokens: whole transitions less the last token."""
        return self.transitions * self.transition_dimension - 1


SHAPES = {
    "hopper": Configuration(observation_dimension=11, action_dimension=3),
    "halfcheetah": Configuration(observation_dimension=17, action_dimension=6),
}


class Attention(nn.Module):
    """Causal self-attention that hides value tokens from every query, their own included.

    `eager` writes scores, mask, softmax and dropout out, as the authors' code computes; otherwise
    PyTorch's fused operator does it all.
    """

    def __init__(self, configuration: Configuration, eager: bool):
        super().__init__()
        width, size = configuration.width, configuration.block_size
        self.heads = configuration.heads
        self.dropout = configuration.dropout
        self.eager = eager
        self.key = nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.proj = nn.Linear(width, width)
        visible = torch.ones(size, size).tril()
        dimension = configuration.transition_dimension
        visible[:, dimension - 1 :: dimension] = 0
        # An official checkpoint contains the mask, under this name and shape.
        self.register_buffer("mask", visible[None, None])
        self.register_buffer("visible", visible.bool(), persistent=False)

    def split(self, x: Tensor) -> Tensor:
        """Channels to heads: [B, T, C] to [B, H, T, h]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        key, query, value = (self.split(f(x)) for f in (self.key, self.query, self.value))
        if self.eager:
            scores = query @ key.transpose(-2, -1) / math.sqrt(key.shape[-1])  # [B, H, T, T]
            hidden = self.mask[:, :, :length, :length] == 0
            weights = scores.masked_fill(hidden, -math.inf).softmax(dim=-1)
            y = F.dropout(weights, self.dropout, self.training) @ value
        else:
            y = F.scaled_dot_product_attention(
                query,
                key,
                value,
                attn_mask=self.visible[:length, :length],
                dropout_p=self.dropout if self.training else 0.0,
            )
        y = self.proj(y.transpose(1, 2).flatten(2))
        return F.dropout(y, self.dropout, self.training)


class Block(nn.Module):
    """A layer: attention, then two linear maps, each added to the residual stream."""

    def __init__(self, configuration: Configuration, eager: bool):
        super().__init__()
        width = configuration.width
        self.ln1 = nn.LayerNorm(width)
        self.ln2 = nn.LayerNorm(width)
        self.attn = Attention(configuration, eager)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, width),
            nn.Dropout(configuration.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class Heads(nn.Module):
    """One linear map without bias for each dimension of a transition."""

    def __init__(self, configuration: Configuration):
        super().__init__()
        dimension, width = configuration.transition_dimension, configuration.width
        self.weight = nn.Parameter(torch.empty(dimension, configuration.bins + 1, width))
        bound = 1 / math.sqrt(width)
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, z: Tensor) -> Tensor:
        """Logits [B, T, V] for features [B, T, C]; position i uses head i mod D."""
        rows, length, _ = z.shape
        dimension = len(self.weight)
        z = F.pad(z, (0, 0, 0, -length % dimension)).unflatten(1, (-1, dimension))
        logits = torch.einsum("bkdc,dvc->bkdv", z, self.weight)
        return logits.flatten(1, 2)[:, :length]


class TrajectoryTransformer(nn.Module):
    """The model; `eager` chooses how attention is computed, see `Attention`."""

    def __init__(self, configuration: Configuration, eager: bool = False):
        super().__init__()
        self.configuration = configuration
        width, size = configuration.width, configuration.block_size
        dimension = configuration.transition_dimension
        self.tok_emb = nn.Embedding(configuration.bins * dimension + 1, width)
        self.pos_emb = nn.Parameter(torch.zeros(1, size, width))
        self.blocks = nn.ModuleList(
            Block(configuration, eager) for _ in range(configuration.layers)
        )
        self.ln_f = nn.LayerNorm(width)
        self.head = Heads(configuration)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
        # Weight in the loss of the target at position i mod D: the target is the next dimension.
        weights = [1.0] * configuration.observation_dimension
        weights += [configuration.action_weight] * configuration.action_dimension
        weights += [configuration.reward_weight, configuration.value_weight]
        self.register_buffer("loss_weights", torch.tensor(weights).roll(-1), persistent=False)

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Token and position embeddings [B, T, C] of tokens that stand at `positions` [T]."""
        bins = self.configuration.bins
        offsets = positions % self.configuration.transition_dimension * bins
        rows = torch.where(tokens == bins, self.tok_emb.num_embeddings - 1, tokens + offsets)
        return self.tok_emb(rows) + self.pos_emb[0, positions]

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [B, T, V] for tokens [B, T]; those at position i predict token i + 1."""
        x = self.embed(tokens, torch.arange(tokens.shape[1], device=tokens.device))
        x = F.dropout(x, self.configuration.dropout, self.training)
        for block in self.blocks:
            x = block(x)
        return self.head(self.ln_f(x))

    def token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Cross entropy [B, T] of each target, before weights and mask."""
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view(
            targets.shape
        )

    def loss(self, tokens: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Weighted cross entropy; its divisor counts all targets, masked ones too."""
        losses = self.token_losses(self(tokens), targets)
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        positions = positions % self.configuration.transition_dimension
        return (losses * self.loss_weights[positions] * mask).mean()
