"""The tables of networks: their kernels, filters and depths, and the paper's counts."""

import re
from pathlib import Path

import keras
import pytest

from tests.architectures.networks import NAMES, build
from tripletlab import config
from tripletlab.architectures import tables
from tripletlab.architectures.operations import flops
from tripletlab.architectures.rows import Inception

PAGE = Path(__file__).parents[2] / "docs" / "architectures.md"


def test_the_full_network_has_openfaces_filters():
    made = build("nn4_small2", size=64)
    assert made.get_layer("3a").output.shape[-1] == 256
    assert made.get_layer("5b").output.shape[-1] == 736


def test_factorizing_leaves_no_five_by_five_and_the_same_outputs():
    half = build("nn4_small2_half", size=64)
    factorized = build("nn4_small2_factorized", size=64)
    kernels = [one.kernel_size for one in factorized.layers if isinstance(one, keras.layers.Conv2D)]
    assert (5, 5) not in kernels
    assert len(kernels) == 5 + sum(isinstance(one, keras.layers.Conv2D) for one in half.layers)
    for module in ("3a", "3b", "3c", "4a", "4e", "5a", "5b"):
        shape = half.get_layer(module).output.shape
        assert factorized.get_layer(module).output.shape == shape
    assert tables.factorized([(5, 8)]) == [(3, 8), (3, 8)]


def test_table_three_names_its_kernels():
    kernels = {
        name: {
            kernel
            for row in getattr(tables, f"inception_{name}")().rows
            if isinstance(row, Inception)
            for branch in row.branches
            for kernel, _ in branch
        }
        for name in ("small3", "small5", "medium5", "medium7", "large7")
    }
    assert kernels == {
        "small3": {1, 3},
        "small5": {1, 5},
        "medium5": {1, 3, 5},
        "medium7": {1, 3, 7},
        "large7": {1, 3, 5, 7},
    }


def test_the_residual_network_is_deeper_with_as_many_parameters():
    deep, half = build("resnet", size=64), build("nn4_small2_half", size=64)
    convolutions = [layer for layer in deep.layers if layer.name[-2:] in ("_1", "_2")]
    assert len(convolutions) + 2 == 28  # with the first convolution and the dense layer
    assert 0.8 < deep.count_params() / half.count_params() < 1.2


def counted(table):
    """Parameters without batch normalisation, by the formula: (kernel² · in + 1) · out."""
    channels, side, total = 1, 64, 0

    def add(kernel, entering, leaving):
        return (kernel**2 * entering + 1) * leaving

    for row in table.rows:
        name = type(row).__name__
        side = -(-side // row.stride)
        if name == "Conv":
            total += add(row.kernel, channels, row.filters)
            channels = row.filters
        elif name == "Inception":
            leaving = row.projection or channels
            total += add(1, channels, row.projection) if row.projection else 0
            for branch in row.branches:
                entering = channels
                for kernel, filters in branch:
                    total += add(kernel, entering, filters)
                    entering = filters
                leaving += entering
            channels = leaving
        elif name == "Residual":
            total += add(3, channels, row.filters) + add(3, row.filters, row.filters)
            if channels != row.filters or row.stride > 1:
                total += add(1, channels, row.filters)
            channels = row.filters
    return total + (channels * (side**2 if table.flatten else 1) + 1) * 128


TABLES = {
    "simple_cnn": tables.simple_cnn,
    "vgg": tables.vgg,
    "nn4_small2_half": tables.nn4_small2,
    "nn4_small2_factorized": tables.nn4_small2_factorized,
    "resnet": tables.resnet,
    **{
        f"inception_{name}": getattr(tables, f"inception_{name}")
        for name in ("small3", "small5", "medium5", "medium7", "large7")
    },
}


@pytest.mark.parametrize("name", TABLES)
def test_parameters_are_those_of_the_formula(name):
    assert build(name, size=64, embedding_dim=128).count_params() == counted(TABLES[name]())


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_operations_are_those_of_the_documentation(name):
    made = build(name, size=64)
    (row,) = re.findall(
        rf"^\| {name}(?: \(.*\))? \| ([\d,]+) \| ([\d.]+) \|$", PAGE.read_text(), re.M
    )
    assert row == (f"{made.count_params():,}", f"{flops(made) / 1e6:.1f}")
    comment = config.groups()["architecture"][name]
    assert set(re.findall(r"([\d,]+) parameters", comment)) <= {row[0]}


def test_the_papers_network_has_the_papers_parameters():
    assert counted(tables.nn4_small2()) == 955_192


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_its_own_name_and_a_name_for_each_row(name):
    table = TABLES[name]()
    assert table.name == name.removesuffix("_half")
    rows = [row.name for row in table.rows]
    assert len(set(rows)) == len(rows)
    # A row's layers begin with its name and an underscore: no row may begin with another's.
    assert not [(a, b) for a in rows for b in rows if b.startswith(f"{a}_")]


@pytest.mark.parametrize("name", ["small3", "small5", "medium5", "medium7", "large7"])
def test_as_much_leaves_each_module_of_table_three_as_in_nn4_small2(name):
    """But where the stride takes the 1x1 branch, whose filters the others have."""
    own = [row for row in TABLES[f"inception_{name}"]().rows if isinstance(row, Inception)]
    half = [row for row in tables.nn4_small2().rows if isinstance(row, Inception)]
    for module, before in zip(own, half, strict=True):
        leaving = [
            sum(branch[-1][1] for branch in row.branches) + row.projection
            for row in (module, before)
        ]
        assert leaving[0] == leaving[1]
        assert (module.stride, module.pool) == (before.stride, before.pool)


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ([], []),
        ([(1, 8), (3, 16)], [(1, 8), (3, 16)]),
        ([(1, 8), (5, 16)], [(1, 8), (3, 8), (3, 16)]),
        ([(5, 4), (5, 6)], [(3, 4), (3, 4), (3, 4), (3, 6)]),
        ([(7, 4)], [(7, 4)]),
    ],
)
def test_the_first_of_two_three_by_three_keeps_the_bottleneck(branch, expected):
    assert tables.factorized(branch) == expected
