"""The same step, and mining, in PyTorch with pytorch-metric-learning, to compare with.

Eager, channels last, with bfloat16 by autocast, which was the fastest way to use it (on CPUs,
torch.compile and channels first are slower).
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

sys.modules["triton"] = None  # type: ignore[assignment]  # its LLVM and TensorFlow's crash together

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import TripletMarginMiner
from torch import nn

from tripletlab.architectures.rows import Conv, Inception, LayerRow, Pool
from tripletlab.architectures.tables import nn4_small2


class Padded(nn.Module):
    """A layer with TensorFlow's same padding, which is asymmetric where the stride is 2."""

    def __init__(self, layer: nn.Module, *, kernel: int, stride: int, value: float = 0.0) -> None:
        super().__init__()
        self.layer, self.kernel, self.stride, self.value = layer, kernel, stride, value

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Pad and apply."""
        pads: list[int] = []
        for size in (features.shape[3], features.shape[2]):
            whole = max((-(-size // self.stride) - 1) * self.stride + self.kernel - size, 0)
            pads += [whole // 2, whole - whole // 2]
        return self.layer(nn.functional.pad(features, pads, value=self.value))


class Branches(nn.Module):
    """Parallel branches, concatenated along the channels."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Concatenate what each branch gives."""
        return torch.cat([branch(features) for branch in self.branches], 1)


class RootMeanSquare(nn.Module):
    """L2 pooling as in tripletlab.architectures.blocks."""

    def __init__(self, mean: nn.Module) -> None:
        super().__init__()
        self.mean = mean

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The root of the mean of the squares."""
        return torch.sqrt(self.mean(features**2) + 1e-6)


class Embedder(nn.Module):
    """nn4.small2 half: faces (batch, 1, size, size), 0 to 255 -> unit embeddings (batch, dim)."""

    def __init__(self, *, dim: int) -> None:
        super().__init__()
        channels, rows = 1, []
        for row in nn4_small2().rows:
            layer, channels = _row(row, channels)
            rows.append(layer)
        self.rows, self.head = nn.Sequential(*rows), nn.Linear(channels, dim)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Embed; the head is in float32."""
        features = self.rows(faces / 127.5 - 1).mean((2, 3)).float()
        with torch.autocast(features.device.type, enabled=False):
            return nn.functional.normalize(self.head(features))


def step(
    *,
    faces: Any,
    labels: Any,
    dtype: str,
    dim: int,
    margin: float,
    parameters: int,
    device: str,
) -> Callable[[], object]:
    """A training step on one constant batch: faces (batch, size, size, 1), labels (batch,).

    `parameters` is how many the network must have; `device` is cpu or cuda.
    """
    embedder = Embedder(dim=dim).to(device, memory_format=torch.channels_last)
    assert sum(one.numel() for one in embedder.parameters()) == parameters
    batch = torch.from_numpy(faces).float().permute(0, 3, 1, 2)
    batch = batch.to(device).contiguous(memory_format=torch.channels_last)
    people = torch.from_numpy(labels).long().to(device)
    squared = LpDistance(normalize_embeddings=False, power=2)
    mine = TripletMarginMiner(margin=margin, type_of_triplets="semihard", distance=squared)
    loss_of = TripletMarginLoss(margin=margin, distance=squared)
    optimizer = torch.optim.Adam(embedder.parameters(), lr=1e-3, fused=True)

    def train() -> float:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=dtype == "mixed_bfloat16"):
            embeddings = embedder(batch)
        loss = loss_of(embeddings, people, mine(embeddings, people))
        loss.backward()
        optimizer.step()
        return float(loss)  # which waits for the device

    return train


def mining(*, points: Any, labels: Any, margin: float, times: int) -> Callable[[], object]:
    """Semi-hard mining, so many times: points (batch, dim), labels (batch,)."""
    miner = TripletMarginMiner(margin=margin, type_of_triplets="semihard")
    embeddings, people = torch.from_numpy(points), torch.from_numpy(labels)
    return lambda: [miner(embeddings, people) for _ in range(times)]


def _row(row: LayerRow, channels: int) -> tuple[nn.Module, int]:
    """A row's layers, and the channels after them."""
    if isinstance(row, Conv):
        return _conv(channels, row.filters, row.kernel, row.stride), row.filters
    if isinstance(row, Pool):
        return _pool(row.kind, row.size, row.stride), channels
    assert isinstance(row, Inception)
    branches, width = [], 0
    for convolutions in row.branches:
        inside, layers = channels, []
        for place, (kernel, filters) in enumerate(convolutions):
            last = place == len(convolutions) - 1
            layers.append(_conv(inside, filters, kernel, row.stride if last else 1))
            inside = filters
        branches.append(nn.Sequential(*layers))
        width += inside
    pooled = [_pool(row.pool, 3, row.stride)]
    if row.projection:
        pooled.append(_conv(channels, row.projection, 1, 1))
    branches.append(nn.Sequential(*pooled))
    return Branches(branches), width + (row.projection or channels)


def _conv(channels: int, filters: int, kernel: int, stride: int) -> nn.Module:
    layer = nn.Conv2d(channels, filters, kernel, stride)
    padded = Padded(layer, kernel=kernel, stride=stride) if kernel > 1 else layer
    return nn.Sequential(padded, nn.ReLU(inplace=True))


def _pool(kind: str, size: int, stride: int) -> nn.Module:
    if kind == "max":
        largest = nn.MaxPool2d(size, stride)
        return Padded(largest, kernel=size, stride=stride, value=float("-inf"))
    mean = Padded(nn.AvgPool2d(size, stride), kernel=size, stride=stride)
    return RootMeanSquare(mean) if kind == "l2" else mean
