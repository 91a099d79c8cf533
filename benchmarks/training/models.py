"""The models of compare.py in PyTorch, with the names of Heed's parameters."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query_key_value, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, causal, mask):
        b, n, c = x.shape
        q, k, v = (part.view(b, n, self.heads, -1).transpose(1, 2)
                   for part in self.query_key_value(x).split(c, dim=2))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.output(mixed.transpose(1, 2).reshape(b, n, c))


class FeedForward(nn.Module):
    def __init__(self, width, hidden, activation):
        super().__init__()
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.activation = activation

    def forward(self, x):
        return self.down(self.activation(self.up(x)))


class Layer(nn.Module):
    def __init__(self, width, heads, hidden, activation, pre):
        super().__init__()
        self.attention = Attention(width, heads)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, hidden, activation)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.pre = pre

    def forward(self, x, mask=None):
        if self.pre:
            x = x + self.attention(self.attention_norm(x), True, None)
            return x + self.feed_forward(self.feed_forward_norm(x))
        x = self.attention_norm(x + self.attention(x, False, mask))
        return self.feed_forward_norm(x + self.feed_forward(x))


class Stack(nn.Module):
    def __init__(self, layers, width, heads, hidden, activation=F.gelu, pre=False):
        super().__init__()
        self.count = layers
        for i in range(layers):
            setattr(self, f"layer_{i}", Layer(width, heads, hidden, activation, pre))
        self.final_norm = nn.LayerNorm(width) if pre else nn.Identity()

    def forward(self, x, mask=None):
        for i in range(self.count):
            x = getattr(self, f"layer_{i}")(x, mask)
        return self.final_norm(x)


def holder(**parts):
    module = nn.Module()
    for name, part in parts.items():
        setattr(module, name, part)
    return module


class Gpt(nn.Module):
    def __init__(self, vocabulary, length, layers, width, heads):
        super().__init__()
        positions = nn.Module()
        positions.table = nn.Parameter(torch.randn(length, width) * 0.02)
        self.input = holder(embedding=nn.Embedding(vocabulary, width), positions=positions)
        self.decoder = Stack(layers, width, heads, 4 * width, pre=True)

    def forward(self, ids):
        weight = self.input.embedding.weight
        x = self.input.embedding(ids) + self.input.positions.table[: ids.shape[1]]
        return F.linear(self.decoder(x), weight)

    def loss(self, ids):
        logits = self(ids[:, :-1])
        return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())


def sinusoids(length, width):
    place = torch.arange(length, dtype=torch.double)[:, None]
    angle = place / 10_000 ** (torch.arange(0, width, 2, dtype=torch.double) / width)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1).float()


class Classifier(nn.Module):
    """models::TextClassifierOptions as they come."""

    WIDTH, VOCABULARY = 256, 10_000

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(self.VOCABULARY, self.WIDTH, padding_idx=0)
        self.encoder = Stack(1, self.WIDTH, 4, 1024, F.relu)
        self.classifier = nn.Linear(self.WIDTH, 2)
        self.register_buffer("positions", sinusoids(512, self.WIDTH), persistent=False)

    def loss(self, ids, lengths, labels):
        x = self.embedding(ids) * math.sqrt(self.WIDTH) + self.positions[: ids.shape[1]]
        real = torch.arange(ids.shape[1]) < lengths[:, None]
        x = self.encoder(x, real[:, None, None, :])
        mean = x.masked_fill(~real[:, :, None], 0).sum(1) / lengths[:, None]
        return F.cross_entropy(self.classifier(mean), labels)
