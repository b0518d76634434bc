"""What `interoffice.frozen` makes is what `dataclasses` makes of the same class."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from interoffice import frozen

T = TypeVar("T")
MAKERS = {"dataclasses": dataclasses.dataclass, "frozen": frozen.dataclass}


@frozen.dataclass(frozen=True, kw_only=True, slots=True)
class Kept(Generic[T]):
    """One that can be pickled: it stands in its module."""

    name: str
    value: T


def parcel(maker: Callable[..., Any]) -> Any:
    @maker(frozen=True, kw_only=True, slots=True)
    class Parcel:
        """A parcel."""

        kind: ClassVar[str] = "parcel"
        number: str
        weight: int = 3
        parts: list[Any] = dataclasses.field(default_factory=list)
        note: str = dataclasses.field(default="", compare=False, repr=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "weight", int(self.weight))

        @property
        def heavy(self) -> bool:
            return self.weight > 10

    return Parcel


def own_words(maker: Callable[..., Any]) -> Any:
    @maker(frozen=True, kw_only=True, slots=True)
    class Own:
        """Says for itself how it looks, what it equals and its hash."""

        a: int

        def __repr__(self) -> str:
            return "mine"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    return Own


@pytest.fixture(params=MAKERS)
def maker(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return MAKERS[request.param]


def test_a_thing_has_its_values_and_defaults_and_is_finished_by_post_init(maker: Callable[..., Any]) -> None:
    made = parcel(maker)(number="7", weight="12")
    assert (made.number, made.weight, made.parts, made.note, made.heavy) == ("7", 12, [], "", True)
    assert parcel(maker)(number="7").weight == 3
    assert made.kind == "parcel"


def test_every_thing_has_a_list_of_its_own(maker: Callable[..., Any]) -> None:
    made = parcel(maker)
    assert made(number="1").parts is not made(number="2").parts


@pytest.mark.parametrize(("given", "wrong"), [({}, "number"), ({"number": "1", "size": 2}, "size")])
def test_a_value_too_few_or_too_many_is_told_by_name(maker: Callable[..., Any], given: Any, wrong: str) -> None:
    with pytest.raises(TypeError, match=rf"Parcel\.__init__\(\) .*'{wrong}'"):
        parcel(maker)(**given)


def test_values_are_given_by_name_only(maker: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="takes 1 positional argument"):
        parcel(maker)("7")
    assert parcel(maker).__match_args__ == ()


def test_things_are_equal_by_the_values_that_count(maker: Callable[..., Any]) -> None:
    made = parcel(maker)
    assert made(number="1", note="a") == made(number="1", note="b")
    assert made(number="1") != made(number="2")
    assert made(number="1") != parcel(maker)(number="1"), "another class of the same look"
    assert made(number="1") != "1"


def test_equal_things_have_one_hash_and_what_holds_a_list_has_none(maker: Callable[..., Any]) -> None:
    made = parcel(maker)
    assert hash(made(number="1", parts=(), note="a")) == hash(made(number="1", parts=(), note="b"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(made(number="1"))


def test_a_thing_shows_its_values(maker: Callable[..., Any]) -> None:
    made = parcel(maker)(number="1", note="hidden")
    made.parts.append(made)
    assert repr(made).endswith(".Parcel(number='1', weight=3, parts=[...])")


def test_a_thing_stays_as_it_was_made(maker: Callable[..., Any]) -> None:
    made = parcel(maker)(number="1")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'number'"):
        made.number = "2"
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'number'"):
        del made.number
    assert not hasattr(made, "__dict__")


def test_a_thing_takes_no_further_values() -> None:
    with pytest.raises(AttributeError, match="cannot assign to field 'other'"):
        Kept(name="", value=1).other = 2  # type: ignore[attr-defined]


def test_the_tools_of_dataclasses_know_it(maker: Callable[..., Any]) -> None:
    made = parcel(maker)(number="1", parts=[1])
    assert dataclasses.is_dataclass(type(made))
    assert [each.name for each in dataclasses.fields(made)] == ["number", "weight", "parts", "note"]
    assert dataclasses.replace(made, weight=4) == parcel_like(made, weight=4)
    assert dataclasses.asdict(made) == {"number": "1", "weight": 3, "parts": [1], "note": ""}
    assert made.__dataclass_params__.frozen


def parcel_like(made: Any, **values: object) -> Any:
    return type(made)(**(dataclasses.asdict(made) | values))


def test_what_a_class_says_for_itself_stands(maker: Callable[..., Any]) -> None:
    made = own_words(maker)(a=1)
    assert (repr(made), made == "anything", hash(made)) == ("mine", True, 7)


def test_a_copy_and_a_pickled_thing_are_equal() -> None:
    made = Kept[list[int]](name="x", value=[1])
    assert copy.copy(made) == made
    assert copy.deepcopy(made) == made
    assert pickle.loads(pickle.dumps(made)) == made


def test_a_class_without_values_and_one_with_one_value_are_compared_too() -> None:
    @frozen.dataclass(frozen=True, kw_only=True, slots=True)
    class Nothing:
        """Has none."""

    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    nan = float("nan")
    assert Kept(name="", value=nan) == Kept(name="", value=nan), "the same thing, as in a tuple"


@frozen.dataclass(frozen=True, kw_only=True)
class Loose:
    """Without slots, so that what costs time is worked out once."""

    a: int
    b: list[int] = dataclasses.field(default_factory=list)

    @cached_property
    def twice(self) -> int:
        return 2 * self.a


def test_a_class_without_slots_keeps_what_it_worked_out_and_is_frozen_all_the_same() -> None:
    made = Loose(a=2)
    assert (made.twice, made.twice, made.b) == (4, 4, [])
    assert made == Loose(a=2) == copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == dataclasses.replace(made)
    assert repr(made) == "Loose(a=2, b=[])"
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.a = 3  # type: ignore[misc]


@pytest.mark.parametrize("left_out", ["frozen", "kw_only"])
def test_other_kinds_of_data_class_are_refused(left_out: str) -> None:
    asked: dict[str, Any] = {"frozen": True, "kw_only": True, left_out: False}
    with pytest.raises(TypeError, match=r"use dataclasses\.dataclass"):
        frozen.dataclass(**asked)
