"""The printed table of a network, against the paper's Table I row by row."""

import keras
import pytest

from tests.architectures.networks import PLAIN
from tripletlab.architectures import description, tables
from tripletlab.architectures.blocks import Style
from tripletlab.architectures.network import network
from tripletlab.architectures.operations import flops as all_flops

TABLE = tables.nn4_small2()
TABLE_I = {  # row -> (output shape without the batch, parameters)
    "conv1": ((32, 32, 32), 1_600),
    "pool1": ((16, 16, 32), 0),
    "conv2": ((16, 16, 32), 1_056),
    "conv3": ((16, 16, 96), 27_744),
    "pool2": ((8, 8, 96), 0),
    "3a": ((8, 8, 128), 41_016),
    "3b": ((8, 8, 160), 57_056),
    "3c": ((4, 4, 320), 99_568),
    "4a": ((4, 4, 320), 136_576),
    "4e": ((2, 2, 512), 179_504),
    "5a": ((2, 2, 368), 198_048),
    "5b": ((2, 2, 368), 165_792),
    "average_pool": ((368,), 0),
    "embedding": ((128,), 47_232),
}


@pytest.fixture(scope="module")
def table_network():
    return network(table=tables.nn4_small2(), input_size=64, **PLAIN)


def test_table_one(table_network):
    style = Style(1.0, batch_norm=False, pool=None)
    rows = description.describe(table_network, tables.nn4_small2(), style)
    assert {row.name: (row.output, row.parameters) for row in rows} == {
        **TABLE_I,
        "unit": ((128,), 0),
    }
    parameters, flops = description.total(rows)
    assert parameters == table_network.count_params() == 955_192
    assert flops == all_flops(table_network)
    conv1 = 2 * 7 * 7 * 32 * 32 * 32  # kernel, filters, places; one channel comes in
    assert rows[0].flops == conv1


def test_what_is_not_known_of_a_row_is_not_known_of_all():
    one = description.Described("a", "", (4,), 10, 20)
    assert description.total([one, one._replace(flops=5)]) == (20, 25)
    assert description.total([one, one._replace(flops=None)]) == (20, None)
    assert description.total([]) == (0, 0)


def test_a_row_of_several_layers_is_their_sum(table_network):
    style = Style(1.0, batch_norm=False, pool=None)
    rows = {row.name: row for row in description.describe(table_network, TABLE, style)}
    own = [layer for layer in table_network.layers if layer.name.startswith("3a_")]
    assert rows["3a"].parameters == sum(layer.count_params() for layer in own)
    convolutions = [layer for layer in own if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == 6
    assert rows["3a"].flops == sum(
        2 * 8 * 8 * one.kernel.shape.num_elements() for one in convolutions
    )


@pytest.mark.parametrize(
    ("table", "ending"), [(tables.simple_cnn(), "flatten"), (tables.resnet(), "average_pool")]
)
def test_the_last_rows_are_what_ends_the_network(table, ending):
    small = {**PLAIN, "embedding_dim": 6, "width": 0.25}
    made = network(table=table, input_size=32, **small)
    rows = description.describe(made, table, Style(0.25, batch_norm=False, pool=None))
    assert [row.name for row in rows[-3:]] == [ending, "embedding", "unit"]
    assert rows[-2].text == "fully connected 6"
    assert description.total(rows)[0] == made.count_params()
