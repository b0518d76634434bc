"""The `table` step: join, columns, where, group_by, totals, sort; no row disappears."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from interoffice.language import Names, RowError, TableResult, Times, ValueScope, run_table_step, table_step_type
from interoffice.model.table import Table
from interoffice.model.types import DATE, MONEY, NUMBER, PERCENT, TEXT, Type, record_of, table_of
from interoffice.model.values import Percent, Value
from interoffice.model.workflow import Join, TableStep

SCOPE = ValueScope(
    times=Times(now=datetime(2026, 11, 22, 8, tzinfo=UTC)),
    names={"scenario": {"growth": Percent("0.08")}, "inputs": {"limit": Decimal(3)}},
)
LEFT = {"item": TEXT, "supplier": TEXT, "quantity": NUMBER}
RIGHT = {"supplier": TEXT, "item": TEXT, "price": MONEY}


def left(*rows: tuple[Value, Value, Value]) -> Table:
    return Table.from_rows(LEFT, [dict(zip(LEFT, row, strict=True)) for row in rows])


def right(*rows: tuple[Value, Value, Value]) -> Table:
    return Table.from_rows(RIGHT, [dict(zip(RIGHT, row, strict=True)) for row in rows])


def join(same: tuple[str, ...] = ("supplier", "item"), if_missing: Any = "stop", **more: Any) -> TableStep:
    return TableStep(rows="", join=Join(table="", same=same, if_missing=if_missing), **more)


def run(table: Table, step: TableStep, other: Table | None = None) -> TableResult:
    return run_table_step(table, step, SCOPE, with_table=other)


ITEMS = left(("A", "S1", Decimal(2)), ("B", "S1", Decimal(5)), ("C", None, Decimal(1)))
PRICES = right(("S1", "A", Decimal("1.50")), ("S2", "A", Decimal(9)), (None, "C", Decimal(7)))


def test_a_join_keeps_rows_that_find_nothing_with_missing_columns() -> None:
    result = run(ITEMS, join(if_missing="keep"), PRICES)
    assert [row["price"] for row in result.rows.rows()] == [Decimal("1.5"), None, None]
    assert list(result.rows.columns) == ["item", "supplier", "quantity", "price"]
    assert len(result.rest) == 0


def test_a_join_drops_rows_that_find_nothing_into_the_rest() -> None:
    result = run(ITEMS, join(if_missing="drop"), PRICES)
    assert result.rows.column("item") == ["A"]
    assert result.rest.column("item") == ["B", "C"]


def test_a_join_stops_at_a_row_that_finds_nothing() -> None:
    with pytest.raises(RowError, match=r"supplier S1, item B: no row to join with \(2 of 3 rows\)"):
        run(ITEMS, join(), PRICES)


def test_a_row_that_finds_two_is_an_error() -> None:
    twice = right(("S1", "A", Decimal(1)), ("S1", "A", Decimal(2)))
    with pytest.raises(RowError, match=r"supplier S1, item A stands in several rows of the other table"):
        run(ITEMS, join(if_missing="keep"), twice)


def test_doubled_rows_that_nobody_asks_for_are_no_error() -> None:
    twice = right(("S9", "A", Decimal(1)), ("S9", "A", Decimal(2)), ("S1", "A", Decimal(3)))
    assert run(ITEMS, join(if_missing="keep"), twice).rows.column("price") == [Decimal(3), None, None]


def test_a_missing_key_never_matches() -> None:
    result = run(left(("C", None, Decimal(1))), join(if_missing="drop"), right((None, "C", Decimal(7))))
    assert len(result.rows) == 0


def test_the_same_name_on_both_sides_is_an_error() -> None:
    other = Table.from_rows({"supplier": TEXT, "quantity": NUMBER}, [])
    with pytest.raises(RowError, match='column "quantity" is in both tables'):
        run(ITEMS, join(same=("supplier",), if_missing="keep"), other)


def test_new_columns_are_computed_and_never_overwrite() -> None:
    step = TableStep(rows="", columns={"double": "quantity * 2", "grown": "round(quantity * (1 + scenario.growth), 2)"})
    result = run(ITEMS, step)
    assert result.rows.column("double") == [Decimal(4), Decimal(10), Decimal(2)]
    assert result.rows.column("grown") == [Decimal("2.16"), Decimal("5.4"), Decimal("1.08")]
    with pytest.raises(RowError, match='column "quantity" is there already'):
        run(ITEMS, TableStep(rows="", columns={"quantity": "1"}))


def test_a_column_that_has_no_value_names_the_row() -> None:
    rows = left(("A", "S1", Decimal(2)), ("B", "S1", Decimal(0)), ("C", "S1", Decimal(0)))
    with pytest.raises(RowError, match=r'column "x" of row 2 \(item B\): division by zero \(and 1 rows more\)'):
        run(rows, TableStep(rows="", columns={"x": "1 / quantity"}))


def test_where_sees_new_columns_and_leaves_the_others_in_the_rest() -> None:
    result = run(ITEMS, TableStep(rows="", columns={"double": "quantity * 2"}, where="double > inputs.limit"))
    assert result.rows.column("item") == ["A", "B"]
    assert result.rest.column("item") == ["C"]
    assert result.rest.column("double") == [Decimal(2)]


def test_where_on_a_missing_cell_is_an_error_that_names_column_and_row() -> None:
    with pytest.raises(RowError, match=r"row 3 \(item C\): supplier is missing"):
        run(ITEMS, TableStep(rows="", where="supplier = 'S1'"))
    with pytest.raises(RowError, match=r"row 1 \(item A\): division by zero"):
        run(ITEMS, TableStep(rows="", where="1 / (quantity - 2) > 0"))


def test_after_group_by_only_group_and_totals_remain() -> None:
    rows = Table.from_rows(
        {"team": TEXT, "hours": NUMBER, "rate": PERCENT, "day": DATE},
        [
            {"team": "b", "hours": Decimal(1), "rate": Percent("0.1"), "day": date(2026, 1, 2)},
            {"team": "a", "hours": Decimal(3), "rate": Percent("0.2")},
            {"team": "b", "hours": None, "rate": Percent("0.2"), "day": date(2026, 1, 1)},
            {"hours": Decimal(4)},
        ],
    )
    step = TableStep(
        rows="", group_by=("team",), totals={"hours": "sum", "rate": "average", "day": "min"}, sort=("team",)
    )
    assert list(run(rows, step).rows.rows()) == [
        {"team": "a", "hours": Decimal(3), "rate": Percent("0.2"), "day": None},
        {"team": "b", "hours": Decimal(1), "rate": Percent("0.15"), "day": date(2026, 1, 1)},
        {"team": None, "hours": Decimal(4), "rate": None, "day": None},
    ]


def test_totals_without_a_group_are_one_row_even_over_nothing() -> None:
    assert list(run(left(), TableStep(rows="", totals={"quantity": "sum", "item": "count"})).rows.rows()) == [
        {"quantity": Decimal(0), "item": Decimal(0)}
    ]


def test_sort_is_stable_and_puts_missing_last_in_both_directions() -> None:
    rows = left(("B", "S1", Decimal(2)), ("A", None, Decimal(10)), ("A", "S1", Decimal(1)), ("C", "S2", None))
    assert run(rows, TableStep(rows="", sort=("item", "quantity"))).rows.column("quantity") == [
        Decimal(1), Decimal(10), Decimal(2), None,
    ]  # fmt: skip
    assert run(rows, TableStep(rows="", sort=("quantity desc",))).rows.column("item") == ["A", "B", "A", "C"]
    assert run(rows, TableStep(rows="", sort=("supplier",))).rows.column("item") == ["B", "A", "C", "A"]


def test_many_rows_give_the_same_as_few() -> None:
    rows = [(f"I{number}", "S1", Decimal(number % 7)) for number in range(1200)]
    step = TableStep(rows="", columns={"x": "quantity / 3"}, where="x > 1 and item != 'I5'")
    many, few = run(left(*rows), step), [run(left(row), step) for row in rows]
    assert list(many.rows.rows()) == [row for one in few for row in one.rows.rows()]
    assert list(many.rest.rows()) == [row for one in few for row in one.rest.rows()]


# before the run


def types(step: TableStep, other: Type | None = None) -> tuple[Type, Type, list[tuple[tuple[str, ...], str]]]:
    scope = Names(names={"scenario": record_of({"growth": PERCENT}), "inputs": record_of({"limit": NUMBER})})
    found = table_step_type(table_of(LEFT), step, scope, with_rows=other)
    return found.rows, found.rest, [(place, error.code) for place, error in found.problems]


def test_the_types_of_a_table_step_are_known_before_the_run() -> None:
    step = join(columns={"value": "quantity * price"}, where="value > inputs.limit", sort=("value desc",))
    rows, rest, problems = types(step, table_of(RIGHT))
    assert rows == rest == table_of({**LEFT, "price": MONEY, "value": MONEY})
    assert problems == []
    grouped, rest, problems = types(
        TableStep(rows="", group_by=("supplier",), totals={"quantity": "sum", "item": "count"})
    )
    assert grouped == table_of({"supplier": TEXT, "quantity": NUMBER, "item": NUMBER})
    assert rest == table_of(LEFT)
    assert problems == []


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (TableStep(rows="", columns={"item": "1"}), [(("columns", "item"), "E04")]),
        (TableStep(rows="", columns={"x": "quantiy * 2"}), [(("columns", "x"), "C03")]),
        (TableStep(rows="", columns={"x": "quantity *"}), [(("columns", "x"), "E01")]),
        (TableStep(rows="", where="quantity"), [(("where",), "E04")]),
        (TableStep(rows="", where="suplier = 'S'"), [(("where",), "C03")]),
        (TableStep(rows="", group_by=("suplier",), totals={}), [(("group_by",), "C03")]),
        (TableStep(rows="", group_by=("supplier",), totals={"item": "sum"}), [(("totals", "item"), "E04")]),
        (TableStep(rows="", group_by=("supplier",), totals={"item": "median"}), [(("totals", "item"), "E06")]),
        (TableStep(rows="", sort=("itm",)), [(("sort",), "C03")]),
        (join(same=("suplier",)), [(("join", "same"), "C03")]),
    ],
)  # fmt: skip
def test_mistakes_of_a_table_step_are_found_before_the_run(step: TableStep, expected: object) -> None:
    assert types(step, table_of({"supplier": TEXT, "price": MONEY}))[2] == expected
