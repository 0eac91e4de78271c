"""The networks as tables of rows: the paper's, and those it proposes as future work.

Numbers of filters are those at width 1. All networks but `simple_cnn` and `vgg` end in global
average pooling.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tripletlab.architectures.blocks import PoolKind
from tripletlab.architectures.rows import Conv, Convolution, Inception, LayerRow, Pool, Residual


class NetworkTable(NamedTuple):
    """A network's name and rows; `flatten` instead of global average pooling after them."""

    name: str
    rows: Sequence[LayerRow]
    flatten: bool = False


STEM = (
    Conv("conv1", 7, 32, stride=2),
    Pool("pool1"),
    Conv("conv2", 1, 32),
    Conv("conv3", 3, 96),
    Pool("pool2"),
)

NN4_SMALL2 = (
    Inception("3a", [[(1, 32)], [(1, 48), (3, 64)], [(1, 8), (5, 16)]], "max", 16),
    Inception("3b", [[(1, 32)], [(1, 48), (3, 64)], [(1, 16), (5, 32)]], "l2", 32),
    Inception("3c", [[(1, 64), (3, 128)], [(1, 16), (5, 32)]], "max", stride=2),
    Inception("4a", [[(1, 128)], [(1, 48), (3, 96)], [(1, 16), (5, 32)]], "l2", 64),
    Inception("4e", [[(1, 80), (3, 128)], [(1, 32), (5, 64)]], "max", stride=2),
    Inception("5a", [[(1, 128)], [(1, 48), (3, 192)]], "l2", 48),
    Inception("5b", [[(1, 128)], [(1, 48), (3, 192)]], "max", 48),
)


class ModulePlan(NamedTuple):
    """What the modules of Table III share: their inputs and outputs are as wide as in nn4.small2.

    The `spatial` filters are divided among the kernels above 1×1. Modules with a stride have no
    1×1 branch and no projection, as in nn4.small2.
    """

    name: str
    ones: int
    spatial: int
    pool: PoolKind
    projection: int
    stride: int = 1


MODULE_PLANS = (
    ModulePlan("3a", 32, 80, "max", 16),
    ModulePlan("3b", 32, 96, "l2", 32),
    ModulePlan("3c", 0, 160, "max", 0, stride=2),
    ModulePlan("4a", 128, 128, "l2", 64),
    ModulePlan("4e", 0, 192, "max", 0, stride=2),
    ModulePlan("5a", 128, 192, "l2", 48),
    ModulePlan("5b", 128, 192, "max", 48),
)


def simple_cnn() -> NetworkTable:
    """The first network of section III.B. The paper gives no numbers of filters; these make
    1.07 million parameters, about as many as the other networks have."""
    rows = (
        Conv("conv1", 3, 16),
        Conv("conv2", 3, 16),
        Pool("pool1", 2),
        Conv("conv3", 3, 32),
        Conv("conv4", 3, 32),
        Pool("pool2", 2),
    )
    return NetworkTable("simple_cnn", rows, flatten=True)


def vgg() -> NetworkTable:
    """Plain 3×3 convolutions, in four stages, as in VGG (Simonyan and Zisserman, ICLR 2015).

    The last layer sees the features of all 8×8 places. In a face that was detected or aligned, the
    place says what a feature belongs to; an average over the places has lost it.
    """
    rows = (
        Conv("conv1", 3, 16),
        Pool("pool1", 2),
        Conv("conv2", 3, 32),
        Conv("conv3", 3, 32),
        Pool("pool2", 2),
        Conv("conv4", 3, 64),
        Conv("conv5", 3, 64),
        Pool("pool3", 2),
        Conv("conv6", 3, 96),
        Conv("conv7", 3, 96),
        Conv("conv8", 1, 64),
    )
    return NetworkTable("vgg", rows, flatten=True)


def nn4_small2() -> NetworkTable:
    """Table I, OpenFace's nn4.small2 with half its filters; all of them at width 2."""
    return NetworkTable("nn4_small2", (*STEM, *NN4_SMALL2))


def nn4_small2_factorized() -> NetworkTable:
    """nn4.small2 with two 3×3 for each 5×5, as in Inception v2.

    The first of the two keeps the number of channels, and so the branch's bottleneck.
    """
    modules = [
        module._replace(branches=[factorized(branch) for branch in module.branches])
        for module in NN4_SMALL2
    ]
    return NetworkTable("nn4_small2_factorized", (*STEM, *modules))


def inception_small3() -> NetworkTable:
    """Table III: 1×1, 3×3, pool."""
    return _table_three("inception_small3", {3: 1.0})


def inception_small5() -> NetworkTable:
    """Table III: 1×1, 5×5, pool."""
    return _table_three("inception_small5", {5: 1.0})


def inception_medium5() -> NetworkTable:
    """Table III: 1×1, 3×3, 5×5, pool."""
    return _table_three("inception_medium5", {3: 0.75, 5: 0.25})


def inception_medium7() -> NetworkTable:
    """Table III: 1×1, 3×3, 7×7, pool."""
    return _table_three("inception_medium7", {3: 0.75, 7: 0.25})


def inception_large7() -> NetworkTable:
    """Table III: 1×1, 3×3, 5×5, 7×7, pool."""
    return _table_three("inception_large7", {3: 0.5, 5: 0.25, 7: 0.25})


def resnet() -> NetworkTable:
    """13 residual blocks, 28 layers deep (nn4.small2: 18), with about as many parameters."""
    stem = (Conv("conv1", 7, 16, stride=2), Pool("pool1"))
    blocks = [
        Residual(f"{stage}{letter}", filters, 2 if letter == "a" and stage > 2 else 1)
        for stage, (filters, letters) in enumerate(
            ((16, "abc"), (32, "abcd"), (64, "abcd"), (128, "ab")), start=2
        )
        for letter in letters
    ]
    return NetworkTable("resnet", (*stem, *blocks))


def factorized(branch: Sequence[Convolution]) -> list[Convolution]:
    """The branch with two 3×3 for each 5×5."""
    convolutions: list[Convolution] = []
    for kernel, filters in branch:
        if kernel == 5:
            entering = convolutions[-1][1] if convolutions else filters
            convolutions += [(3, entering), (3, filters)]
        else:
            convolutions.append((kernel, filters))
    return convolutions


def _table_three(name: str, shares: Mapping[int, float]) -> NetworkTable:
    """nn4.small2 with other modules: `shares` of the spatial filters for each kernel.

    Each kernel follows a 1×1 convolution with a quarter of the branch's filters.
    """
    modules = []
    for plan in MODULE_PLANS:
        counts = {kernel: round(plan.spatial * share) for kernel, share in shares.items()}
        branches = [[(1, plan.ones)]] if plan.ones else []
        branches += [[(1, count // 4), (kernel, count)] for kernel, count in counts.items()]
        modules.append(Inception(plan.name, branches, plan.pool, plan.projection, plan.stride))
    return NetworkTable(name, (*STEM, *modules))
