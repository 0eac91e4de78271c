"""How a run's own config and what is given now come together."""

from tripletlab.experiment.target import _merged

OWN = {"_target_": "a", "size": 64, "detector": {"_target_": "haar", "neighbors": 4}}
NOW = {"_target_": "a", "size": 32, "border": 0.1, "detector": {"_target_": "haar", "neighbors": 7}}


def test_without_a_leaf_the_run_keeps_its_own_and_learns_new_keys():
    assert _merged(OWN, NOW, []) == {**OWN, "border": 0.1}


def test_a_leaf_that_is_given_changes_alone():
    assert _merged(OWN, NOW, [["size"]])["size"] == 32
    merged = _merged(OWN, NOW, [["detector", "neighbors"]])
    assert (merged["size"], merged["detector"]["neighbors"]) == (64, 7)


def test_a_leaf_of_another_choice_brings_that_choice():
    other = {"_target_": "b", "size": 32}
    assert _merged(OWN, other, [["size"]]) == other
    assert _merged(OWN, other, []) == OWN
