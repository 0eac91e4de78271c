"""Nodes of a config become components: what is validated, what is built, what the errors name."""

import functools
import re
from typing import Annotated, Literal

import pytest
from pydantic import Field

from tests.config import test_instantiate as here
from tripletlab.config.instantiate import DEEPEST, Component, has_target, read_component, validated
from tripletlab.errors import InputError


class Pair:
    """A class with annotations, as a node names it."""

    def __init__(
        self,
        left: Annotated[int, Field(ge=1)],
        right: Annotated[float, Field(gt=0, le=4)] = 0.5,
        *,
        inner: object = None,
    ) -> None:
        self.left, self.right, self.inner = left, right, inner


def anything(**settings: int) -> dict[str, int]:
    return settings


def chosen(kind: Literal["max", "l2"] | None = None, sizes: list[int] | None = None) -> object:
    return kind, sizes


def wants(size: int) -> int:
    return size


NAME = here.__name__
ALLOWED = {
    f"{NAME}.{name}" for name in ("Pair", "anything", "chosen", "wants", "missing", "absent.x")
}


def node(name, **arguments):
    return {"_target_": f"{NAME}.{name}", **arguments}


def read(given, **more):
    return read_component(given, "pair", allowed=ALLOWED | {"no_such_module.x"}, **more)


def test_a_node_is_validated_and_called():
    component = read(node("Pair", left=2, right=1))
    assert (component["left"], component["right"]) == (2, 1.0)
    assert isinstance(component["right"], float)  # 1 as its annotation wants it
    built = component.build()
    assert type(built).__name__ == "Pair"
    assert (built.left, built.right) == (2, 1.0)
    with pytest.raises(KeyError):
        component["inner"]


def test_what_only_the_caller_knows_takes_the_nodes_place():
    component = read(node("Pair", left=2))
    built = component.build(left=7, inner="store")
    assert (built.left, built.inner) == (7, "store")
    assert component["left"] == 2


def test_a_partial_node_is_bound_and_called_later():
    bound = read(node("anything", a=1, _partial_=True)).build(b=2)
    assert isinstance(bound, functools.partial)
    assert bound(c=3) == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "missing a required argument: 'size'; give it in the file, or `_partial_: true`"),
        ({"size": 1, "store": 2}, "got an unexpected keyword argument 'store'"),
    ],
)
def test_a_target_that_takes_other_arguments_is_named(more, says):
    with pytest.raises(InputError, match=f"^{re.escape(f'{NAME}.wants: {says}')}"):
        read(node("wants")).build(**more)
    assert read(node("wants", _partial_=True)).build()(2) == 2


def test_nested_nodes_are_built_first_and_each_time_anew():
    component = read(node("Pair", left=1, inner=node("Pair", left=2)))
    assert isinstance(component["inner"], Component)
    one, other = component.build(), component.build()
    assert one.inner.left == 2
    assert one.inner is not other.inner


def test_the_node_is_kept_as_it_was_written():
    written = node("Pair", left=1, right=1, inner=node("Pair", left=2))
    assert read(written).settings == written


@pytest.mark.parametrize(
    ("value", "is_one"), [({"_target_": "x"}, True), ({"a": 1}, False), ("_target_", False)]
)
def test_a_node_has_a_target(value, is_one):
    assert has_target(value) is is_one


PATHS = [
    (node("Pair", left=0), "pair.left=0: it should be greater than or equal to 1"),
    (node("Pair", left="two"), "pair.left=two: it should be a valid integer"),
    (node("Pair", left=1, right=5.0), "pair.right=5.0: it should be less than or equal to 4"),
    (node("Pair", left=1, right=float("nan")), "pair.right=nan: it should be a finite number"),
    (node("Pair", left=1, right=float("inf")), "pair.right=inf: it should be a finite number"),
    (node("Pair", left="???"), "pair.left is missing: give pair.left=…"),
    (node("Pair", left=1, inner=node("Pair", left=0)), "pair.inner.left=0: it should be greater"),
    (node("Pair", lift=1), f"pair.lift: {NAME}.Pair has no such argument; did you mean left?"),
    (node("Pair", zz=1), f"pair.zz: {NAME}.Pair has no such argument; it takes left, right, inner"),
    (node("chosen", kind="mean"), "pair.kind=mean: it should be 'max' or 'l2'"),
    (node("chosen", sizes=[1, "b"]), "pair.sizes=[1, 'b']: it should be a valid integer"),
    (node("missing"), f"pair: {NAME}.missing cannot be imported"),
    (node("absent.x"), f"pair: {NAME}.absent.x cannot be imported"),
    ({"_target_": "no_such_module.x"}, "pair: no_such_module.x cannot be imported"),
    ({"_target_": "os.system"}, "pair._target_=os.system: no file of conf/ names this callable"),
    ({"_target_": ["os.system"]}, "pair._target_=['os.system']: no file of conf/"),
    ({"_target_": None}, "pair._target_=None: no file of conf/"),
    (node("Pair", left=1, inner={"_target_": "os.system"}), "pair.inner._target_=os.system: no"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "says"), PATHS, ids=lambda one: str(one)[-40:])
def test_an_error_names_the_key(given, says):
    with pytest.raises(InputError, match=f"^{re.escape(says)}") as refused:
        read(given)
    assert "\n" not in str(refused.value)


def test_an_interpolation_names_what_it_points_at():
    raw = node("Pair", left="${seed}", right="${oc.env:RATE}", inner=node("Pair", left="${n.m}"))
    good = {"left": 1, "right": 1.0}
    for changes, says in (
        ({"left": 0}, "seed=0: it should"),
        ({"right": 9.0}, "pair.right=9.0: it should"),  # no key of the config to change
        ({"inner": node("Pair", left=-1)}, "n.m=-1: it should"),
    ):
        with pytest.raises(InputError, match=f"^{re.escape(says)}"):
            read(node("Pair", **{**good, **changes}), raw=raw)


def test_nodes_inside_one_another_have_an_end():
    def nested(depth):
        return node("Pair", left=1, **({"inner": nested(depth - 1)} if depth else {}))

    deepest = read(nested(DEEPEST))
    for _ in range(DEEPEST):
        deepest = deepest["inner"]
    with pytest.raises(InputError, match=f"more than {DEEPEST} nodes inside one another"):
        read(nested(DEEPEST + 1))


def test_only_what_conf_names_may_be_called_without_a_list():
    with pytest.raises(InputError, match=r"pair._target_=.*\.Pair: no file of conf/"):
        read_component(node("Pair", left=1), "pair")
    known = {"_target_": "tripletlab.training.guard.collapse", "warm_up": 2, "_partial_": True}
    guard = read_component({**known, "shrunk_to": 0.1}, "guard").build()
    assert (guard([1, 1, 1]), bool(guard([1, 0.01, 0.01]))) == (None, True)


def test_a_plain_value_is_read_as_its_annotation():
    assert validated("7", int, "seed") == 7
    assert validated(None, int | None, "seed") is None
    with pytest.raises(InputError, match=r"^seed=None: it should be a valid integer"):
        validated(None, int, "seed")
