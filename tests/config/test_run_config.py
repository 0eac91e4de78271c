"""The typed configs: frozen, nested in one another, and flat where they are logged."""

import re

import pytest
import yaml
from pydantic import ValidationError

from tripletlab import config
from tripletlab.config.run_config import CLASSES, Config, EvaluateConfig, read_config
from tripletlab.errors import InputError


def composed(root="prepare", *overrides):
    return config.compose(root, list(overrides))


def averaged(setting):
    """What a setting of the moving average needs beside it."""
    return ["optimizer.use_ema=true"] if setting == "ema_momentum" else []


def test_nested_dicts_become_keys_with_dots():
    tree = {"a": 1, "b": {"c": {"d": [1, 2]}, "e": None}, "f": {}, "g.h": {"i": 2}}
    assert Config.flat(tree) == {"a": 1, "b.c.d": [1, 2], "b.e": None, "g.h.i": 2}
    assert Config.flat({}) == {}


@pytest.mark.parametrize("root", ["prepare", "evaluate", "train", "sweep"])
def test_a_config_has_exactly_the_keys_of_its_file(root):
    """Else a key of conf/ would be read by nobody, or one of the class come from nowhere."""
    keys = yaml.safe_load((config.folder("conf") / f"{root}.yaml").read_text())
    defaults = {one if isinstance(one, str) else next(iter(one)) for one in keys["defaults"]}
    inherited = {one for one in defaults if one in CLASSES}
    nouns = set().union(*(CLASSES[one].nouns() for one in inherited))
    own = {key.split("/")[-1].split("@")[0] for key in defaults - inherited - {"_self_"}}
    plain = keys.keys() - {"defaults", "hydra"}
    assert CLASSES[root].nouns() == nouns | own | plain


def test_what_a_config_has_cannot_be_changed():
    made = composed()
    with pytest.raises(ValidationError, match="frozen"):
        made.data = "/elsewhere"
    with pytest.raises(ValidationError, match="Extra inputs"):
        type(made)(**dict(made), more=1)


def test_choices_and_values_are_logged_and_targets_are_not():
    params = composed("prepare", "faces=aligned", "faces.border=0.2").params()
    assert params["faces"] == "aligned"
    assert params["faces.border"] == 0.2
    assert params["photos"] == "synthetic"
    assert not [key for key in params if "_target_" in key or "_partial_" in key]


def test_the_tree_is_what_can_be_written_and_read_again():
    made = composed("evaluate", "data=/d", "verification.people=80")
    again = yaml.safe_load(yaml.safe_dump(made.tree))
    back = read_config(EvaluateConfig, again, raw=again, choices=made.choices)
    assert back.tree == made.tree
    assert back.verification.settings == made.verification.settings
    assert str(back.data) == "/d"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("flip", "perhaps", "flip=perhaps: it should be a valid boolean"),
        ("data", 3, "data=3: it"),
        ("data", "???", "data is missing: give data=…"),
        ("verification", {"_target_": "os.system"}, "verification._target_=os.system: no file"),
    ],
)
def test_a_tree_from_elsewhere_is_validated_by_key(key, value, says):
    made = composed("evaluate")
    tree = {**made.tree, key: value}
    with pytest.raises(InputError, match=f"^{re.escape(says)}"):
        read_config(EvaluateConfig, tree, raw=tree, choices=made.choices)


@pytest.mark.parametrize("rate", ["0", "-0.1", "1.5", "nan", "null", "fast"])
def test_a_learning_rate_is_above_0_and_at_most_1(rate):
    with pytest.raises(InputError, match=r"^optimizer\.learning_rate="):
        composed("train", f"optimizer.learning_rate={rate}")


@pytest.mark.parametrize("optimizer", ["adam", "adam_paper"])
@pytest.mark.parametrize(
    "setting",
    [
        *(f"global_clipnorm={value}" for value in ("0", "-1", "big", "inf", "true")),
        *(f"weight_decay={value}" for value in ("-1", "much", "nan")),
        *(f"use_ema={value}" for value in ("often", "null", "1", "no")),
        *(f"ema_momentum={value}" for value in ("1.5", "1", "-0.1", "null", "long")),
    ],
)
def test_an_optimizers_setting_that_cannot_be_is_refused(optimizer, setting):
    key = setting.partition("=")[0]
    with pytest.raises(InputError, match=rf"^optimizer\.{key}=.*: it should be"):
        composed("train", f"optimizer={optimizer}", *averaged(key), f"optimizer.{setting}")


@pytest.mark.parametrize("optimizer", ["adam", "adam_paper"])
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("global_clipnorm", 1),
        ("global_clipnorm", None),
        ("weight_decay", 0),
        ("weight_decay", None),
        ("use_ema", True),
        ("ema_momentum", 0),
        ("ema_momentum", 0.999),
    ],
)
def test_an_optimizers_setting_that_can_be_is_taken(optimizer, setting, value):
    override = config.override(f"optimizer.{setting}", value)
    run = composed("train", f"optimizer={optimizer}", *averaged(setting), override)
    assert run.optimizer[setting] == value


@pytest.mark.parametrize("key", ["seed=0", "seed=4294967295", "margin=4", "margin=0.0001"])
def test_the_ends_of_a_range_are_in_it(key):
    name, value = config.parsed(key)
    assert getattr(composed("train", key), name) == value


@pytest.mark.parametrize("key", ["margin=0", "margin=4.01", "seed=4294967296", "retries=-1"])
def test_what_is_beyond_them_is_not(key):
    with pytest.raises(InputError, match=f"^{key}: it should be"):
        composed("sweep", key)
