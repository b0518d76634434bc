"""A table keeps its values exactly, in memory and in its file."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interoffice.model.codec import decode, encode
from interoffice.model.table import Table, union
from interoffice.model.types import (
    ANY,
    DATE,
    DATE_TIME,
    DURATION,
    FILE,
    MONEY,
    NUMBER,
    PERCENT,
    TEXT,
    TIME,
    YES_NO,
    Type,
    choice_of,
    common_type,
    list_of,
    named_type,
    record_of,
    table_of,
    type_from_json,
)
from interoffice.model.values import Duration, FileValue, NumberTooBig, Percent, Value

COLUMNS = {
    "text": TEXT, "money": MONEY, "percent": PERCENT, "date": DATE, "date_time": DATE_TIME, "time": TIME,
    "duration": DURATION, "yes_no": YES_NO, "file": FILE, "any": ANY, "list": list_of(NUMBER),
    "record": record_of({"x": NUMBER}), "choice": choice_of(["A", "B"]),
}  # fmt: skip
ROW: dict[str, Value] = {
    "text": "00123", "money": Decimal("12.5"), "percent": Percent("0.15"), "date": date(2026, 1, 1),
    "date_time": datetime(2026, 1, 1, 9, 30, 0, 1, tzinfo=UTC), "time": time(9, 30),
    "duration": Duration(business_days=2), "yes_no": True,
    "file": FileValue(path="p", name="n", sha256="s", size_bytes=4), "any": Decimal(3),
    "list": (Decimal(1), Decimal(2)), "record": {"x": Decimal(4)}, "choice": "A",
}  # fmt: skip
MISSING_ROW: dict[str, Value] = dict.fromkeys(COLUMNS)


def table() -> Table:
    return Table.from_rows(COLUMNS, [ROW, {}, ROW])


def test_every_kind_of_cell_is_the_same_after_saving_and_loading(tmp_path: Path) -> None:
    saved = table().save(tmp_path)
    for again in (Table.load(saved.path or ""), saved, Table.from_arrow(COLUMNS, table().arrow())):
        assert list(again.rows()) == [ROW, MISSING_ROW, ROW]
        assert again.columns == COLUMNS
        assert again.digest == table().digest
        assert len(again) == 3
        assert [type(cell) for cell in next(again.rows()).values()] == [type(cell) for cell in ROW.values()]


def test_a_table_is_saved_once_under_its_digest(tmp_path: Path) -> None:
    first = table().save(tmp_path)
    second = table().save(tmp_path)
    assert first.path == second.path
    assert [path.name for path in tmp_path.iterdir()] == [f"{table().digest}.parquet"]


def test_the_digest_is_the_same_however_arrow_holds_the_rows() -> None:
    arrow = table().arrow()
    chunked = pa.concat_tables([arrow.slice(0, 1), arrow.slice(1, 2)])
    assert Table.from_arrow(COLUMNS, chunked).digest == table().digest
    assert Table.from_arrow(COLUMNS, arrow.slice(1, 2)).digest == Table.from_rows(COLUMNS, [{}, ROW]).digest
    filtered = arrow.filter(pa.array([False, True, True]))
    assert Table.from_arrow(COLUMNS, filtered).digest == Table.from_rows(COLUMNS, [{}, ROW]).digest


def test_the_digest_tells_order_types_names_and_missing_apart() -> None:
    tables = [
        Table.from_rows({"a": TEXT}, [{"a": "x"}, {"a": "y"}]),
        Table.from_rows({"a": TEXT}, [{"a": "y"}, {"a": "x"}]),
        Table.from_rows({"b": TEXT}, [{"b": "x"}, {"b": "y"}]),
        Table.from_rows({"a": choice_of(["x", "y"])}, [{"a": "x"}, {"a": "y"}]),
        Table.from_rows({"a": TEXT}, [{"a": "x"}, {"a": "y"}, {}]),
        Table.from_rows({"a": TEXT}, [{"a": "xy"}, {}]),
        Table.from_rows({"a": TEXT}, [{}, {"a": "xy"}]),
        Table.from_rows({"a": NUMBER}, [{"a": Decimal(0)}]),
        Table.from_rows({"a": NUMBER}, [{}]),
        Table.from_rows({"a": NUMBER}, []),
        Table.from_rows({}, []),
    ]
    assert len({one.digest for one in tables}) == len(tables)


cells = st.fixed_dictionaries(
    {"t": st.none() | st.text(max_size=4).map(lambda text: text.replace("\x00", "") or None),
     "n": st.none() | st.decimals(-999, 999, places=4), "d": st.none() | st.dates(), "y": st.none() | st.booleans()}
)  # fmt: skip


@given(st.lists(cells, max_size=6), st.integers(0, 6))
def test_the_digest_does_not_depend_on_how_a_table_was_put_together(rows: list[dict[str, Value]], cut: int) -> None:
    columns = {"t": TEXT, "n": NUMBER, "d": DATE, "y": YES_NO}
    whole = Table.from_rows(columns, rows)
    parts = [Table.from_rows(columns, rows[:cut]), Table.from_rows(columns, rows[cut:])]
    assert union(*parts).digest == whole.digest
    arrow = [Table.from_arrow(columns, part.arrow()) for part in parts]
    assert union(*arrow).digest == whole.digest
    assert whole.select(range(len(rows))).digest == whole.digest


def test_a_blank_cell_is_missing() -> None:
    assert Table.from_rows({"a": TEXT}, [{"a": ""}]).column("a") == [None]
    assert Table.from_arrow({"a": TEXT}, pa.table({"a": ["", "x"]})).column("a") == [None, "x"]


@pytest.mark.parametrize(
    ("type", "value", "error"),
    [
        (NUMBER, 1.5, TypeError), (NUMBER, True, TypeError), (NUMBER, "1", TypeError),
        (NUMBER, Decimal("NaN"), ValueError),
        (NUMBER, Decimal(10) ** 28, NumberTooBig), (TEXT, Decimal(1), TypeError), (DATE, ROW["date_time"], TypeError),
        (DATE_TIME, ROW["date"], TypeError), (DATE_TIME, datetime(2026, 1, 1), ValueError), (YES_NO, "yes", TypeError),  # noqa: DTZ001
        (DURATION, 5, TypeError), (ANY, 1.5, TypeError),
    ],
)  # fmt: skip
def test_a_cell_of_the_wrong_type_is_refused_with_its_place(type: Type, value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=r'column "a", row 2'):
        Table.from_rows({"a": type}, [{}, {"a": value}])


def test_half_a_letter_is_refused_before_it_reaches_a_file() -> None:
    with pytest.raises(ValueError, match='column "a", row 1'):
        Table.from_rows({"a": TEXT}, [{"a": "x\ud800"}])


def test_whole_numbers_of_python_become_decimals() -> None:
    assert Table.from_rows({"a": NUMBER}, [{"a": 3}]).column("a") == [Decimal(3)]


def test_a_name_without_a_column_is_refused() -> None:
    with pytest.raises(KeyError, match="row 1 has columns that the table lacks: b"):
        Table.from_rows({"a": TEXT}, [{"a": "x", "b": "y"}])


@pytest.mark.parametrize("in_arrow", [False, True])
def test_a_union_is_by_name_and_keeps_duplicates(in_arrow: bool) -> None:
    one = Table.from_rows({"a": TEXT, "n": NUMBER}, [{"a": "x", "n": Decimal(1)}])
    other = Table.from_rows({"n": MONEY, "b": TEXT}, [{"n": Decimal(2), "b": "y"}])
    if in_arrow:
        one, other = (Table.from_arrow(each.columns, each.arrow()) for each in (one, other))
    both = union(union(one, other), one)
    assert both.columns == {"a": TEXT, "n": MONEY, "b": TEXT}
    first = {"a": "x", "n": Decimal(1), "b": None}
    assert list(both.rows()) == [first, {"a": None, "n": Decimal(2), "b": "y"}, first]


def test_a_union_of_differing_types_names_the_column() -> None:
    with pytest.raises(ValueError, match='column "a" is a text in one table and a number in the other'):
        union(Table.from_rows({"a": TEXT}, []), Table.from_rows({"a": NUMBER}, []))


@pytest.mark.parametrize("in_arrow", [False, True])
def test_columns_are_added_replaced_and_left_out(in_arrow: bool) -> None:
    made = Table.from_rows({"a": TEXT, "b": TEXT}, [{"a": "x"}, {"b": "y"}])
    if in_arrow:
        made = Table.from_arrow(made.columns, made.arrow())
    added = made.adding({"n": NUMBER, "a": NUMBER}, {"n": [Decimal(1), None], "a": [None, Decimal(2)]})
    assert list(added.columns.items()) == [("a", NUMBER), ("b", TEXT), ("n", NUMBER)]
    assert list(added.rows()) == [{"a": None, "b": None, "n": Decimal(1)}, {"a": Decimal(2), "b": "y", "n": None}]
    assert list(added.keeping(["n"]).rows()) == [{"n": Decimal(1)}, {"n": None}]
    assert list(made.rows()) == [{"a": "x", "b": None}, {"a": None, "b": "y"}]


def test_a_frame_has_arrow_types() -> None:
    frame = Table.from_rows({"n": MONEY, "t": TEXT}, [{"n": Decimal("0.1"), "t": "00123"}]).frame()
    assert frame["n"].tolist() == [Decimal("0.1000000000")]
    assert frame["t"].tolist() == ["00123"]


def test_a_saved_table_travels_as_a_handle(tmp_path: Path) -> None:
    saved = table().save(tmp_path)
    again = decode(encode({"rows": saved}))
    assert isinstance(again, dict)
    assert again["rows"] == saved
    assert list(again["rows"].columns) == list(COLUMNS)


def test_a_loaded_table_is_the_same_table(tmp_path: Path) -> None:
    saved = Table.load(table().save(tmp_path).path or "")
    loaded = saved.loaded()
    assert loaded == saved
    assert loaded.path == saved.path
    assert saved.column("money") == loaded.column("money") == [Decimal("12.5"), None, Decimal("12.5")]
    (saved.path or Path()).unlink()
    assert list(loaded.rows()) == [ROW, MISSING_ROW, ROW]


def test_a_parquet_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match='column "a" says no type'):
        Table.load(tmp_path / "x.parquet")


# types


@pytest.mark.parametrize("type", [*COLUMNS.values(), table_of({"a": list_of(MONEY)}, open=True), Type("table")])
def test_a_type_is_the_same_after_json(type: Type) -> None:
    assert type_from_json(type.as_json()) == type


def test_a_word_that_is_no_type_is_refused() -> None:
    with pytest.raises(ValueError, match='no type "integer"'):
        named_type("integer")


def test_common_types_widen_and_never_guess() -> None:
    assert common_type(NUMBER, MONEY) == MONEY
    assert common_type(choice_of(["A"]), choice_of(["B"])) == choice_of(["A", "B"])
    assert common_type(choice_of(["A"]), TEXT) == TEXT
    assert common_type(NUMBER, PERCENT) is None
    assert common_type(DATE, DATE_TIME) is None
    assert common_type(table_of({"a": TEXT}), table_of({"b": TEXT})) == table_of({"a": TEXT, "b": TEXT})
    assert common_type(table_of({"a": TEXT}), table_of({"a": NUMBER})) is None


def test_without_leaves_the_other_rows_in_their_order(tmp_path: Path) -> None:
    table = Table.from_rows({"n": NUMBER}, [{"n": Decimal(n)} for n in range(5)])
    for each in (table, Table.load(saved) if (saved := table.save(tmp_path).path) else table):
        assert [row["n"] for row in each.without([3, 0, 3]).rows()] == [1, 2, 4]
        assert len(each.without([])) == 5 and len(each.without(range(5))) == 0
