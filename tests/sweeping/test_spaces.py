import pytest

from tripletlab.errors import InputError
from tripletlab.sweeping.spaces import Space, cell_name, read_space


def test_cells_are_every_combination_the_last_axis_fastest():
    space = Space("s", {"miner": ["semihard", "hard"], "margin": [0.2, 0.4]})
    names = [cell_name(cell) for cell in space.cells()]
    assert names == ["semihard 0.2", "semihard 0.4", "hard 0.2", "hard 0.4"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("axes: {margin: 0.2}", "list of values"),
        ("axes: {margin: []}", "list of values"),
        ("margin: [0.2]", "axes:"),
        ("[]", "axes:"),
        ("axes: [", "not YAML"),
    ],
)
def test_a_malformed_space(text, hint, tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=hint):
        read_space(path)


def test_a_missing_space_names_those_that_are_there(tmp_path):
    (tmp_path / "near.yaml").touch()
    with pytest.raises(InputError, match="has near"):
        read_space(tmp_path / "far.yaml")
