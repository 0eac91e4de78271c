"""What may be a person's name, in any script."""

import pytest

from tests.recognition.test_gallery import shots
from tripletlab.errors import InputError, printable
from tripletlab.recognition.gallery import Gallery
from tripletlab.recognition.names import valid_name

JOINER, NON_JOINER = "\u200d", "\u200c"


def test_a_name_that_is_composed_otherwise_is_the_same_name(tmp_path):
    """A Mac may write é as two characters."""
    with_accent, decomposed = "Jos\u00e9", "Jose\u0301"
    gallery = Gallery(tmp_path / "g", fingerprint="m", dim=8)
    gallery.add(with_accent, shots(1))
    with pytest.raises(InputError, match="is there already"):
        gallery.add(decomposed, shots(2), new=True)
    gallery.add(decomposed, shots(2))
    assert gallery.people() == {with_accent: 4}
    gallery.rename(decomposed, " Bo ")
    gallery.remove(" Bo")
    assert gallery.people() == {}
    gallery.add("Bo", shots(3))
    gallery._base.execute("UPDATE person SET name = ?", (decomposed,))  # as galleries of before
    gallery.add(with_accent, shots(4, 1), instead=True)
    assert gallery.people() == {decomposed: 1}
    gallery.close()


@pytest.mark.parametrize(
    "name",
    [
        f"\u062d\u0633\u06cc\u0646{NON_JOINER}\u0632\u0627\u062f\u0647",  # Hosseinzadeh, in Persian
        f"\u0dc1\u0dca{JOINER}\u0dbb\u0dd3",  # Sri, in Sinhala
    ],
)
def test_joiners_are_spelling_in_some_scripts(name):
    assert valid_name(name) == name == printable(name)


@pytest.mark.parametrize(
    "name", [NON_JOINER, f"An{JOINER}n", f"Ann{NON_JOINER}", "A\u202enn", "A\x1bn"]
)
def test_what_only_makes_two_names_of_one_is_refused(name):
    with pytest.raises(InputError, match="is not a name"):
        valid_name(name)
