"""The bots of the middle office: credit from finance's file and from the risk service, and decision tables."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from interoffice.errors import ApplicationError, BusinessError, CredentialRefused, ProjectError
from interoffice.model.table import Table
from interoffice.model.types import MONEY, NUMBER, TEXT, Type
from interoffice.model.values import Duration, Percent
from interoffice.practice.faults import Fault
from interoffice.practice.office import PracticeOffice
from interoffice.practice.seed import credit_limits_csv
from tests.support.bots import bot
from tests.support.context import Desk


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeOffice]:
    with PracticeOffice.start(tmp_path_factory.mktemp("practice"), only=("risk",)) as started:
        yield started


@pytest.fixture
def desk(tmp_path: Path, office: PracticeOffice) -> Iterator[Desk]:
    with Desk(tmp_path, office) as made:
        credit_limits_csv(tmp_path / "data" / "credit_limits.csv")
        yield made


def customers(*numbers: str | None) -> Table:
    rows = [{"deal": f"D-{place}", "no": number} for place, number in enumerate(numbers)]
    return Table.from_rows({"deal": TEXT, "no": TEXT}, rows)


def credit(desk: Desk, rows: Table, **more: object) -> list[dict[str, object]]:
    given = {"rows": rows, "customer": "no", "file": "data/credit_limits.csv", **more}
    return list(bot("finance.credit_lookup")(desk.context, **given).rows.rows())


def test_file_and_service_say_the_same(desk: Desk) -> None:
    rows = customers("C-100017", "C-100020", "C-100017", "nobody", None)
    by_file = credit(desk, rows)
    by_service = credit(desk, rows, file=None, credential="risk_service")
    assert by_file == by_service
    assert [row["credit_limit"] for row in by_file] == [60000, 120000, 60000, None, None]
    assert by_file[0]["open_balance"] == Decimal("8150.25")
    assert by_file[3] == {"deal": "D-3", "no": "nobody", "credit_limit": None, "open_balance": None,
                          "screening_result": None}  # fmt: skip


def test_no_row_is_lost_or_added_and_their_order_stays(desk: Desk) -> None:
    rows = customers(*[f"C-1000{17 + number % 5}" for number in range(500)])
    assert [row["deal"] for row in credit(desk, rows)] == rows.column("deal")


def test_rows_without_rows_get_the_columns(desk: Desk) -> None:
    found = bot("finance.credit_lookup")(
        desk.context, rows=customers(), customer="no", file="data/credit_limits.csv"
    ).rows
    assert list(found.columns) == ["deal", "no", "credit_limit", "open_balance", "screening_result"]


def test_each_customer_is_asked_for_once(desk: Desk) -> None:
    credit(desk, customers("C-100017", "C-100018", "C-100017"), file=None, credential="risk_service")
    assert len(desk.log.named("progress")) == 2


def test_columns_that_are_there_or_missing_are_refused(desk: Desk) -> None:
    with pytest.raises(BusinessError, match='no column "nr"') as raised:
        credit(desk, customers("x"), customer="nr")
    assert raised.value.code == "no_column"
    doubled = Table.from_rows({"no": TEXT, "credit_limit": MONEY}, [])
    with pytest.raises(BusinessError, match="credit_limit already") as raised:
        credit(desk, doubled)
    assert raised.value.code == "column_there"


def test_a_missing_limits_file_is_one_sentence(desk: Desk) -> None:
    with pytest.raises(BusinessError, match=r"there is no file data/limits\.csv; the folder has credit_limits\.csv"):
        credit(desk, customers("x"), file="data/limits.csv")


def test_a_wrong_token_is_tried_once(desk: Desk) -> None:
    desk.credentials["risk_service"] = {"user": "x", "password": "wrong"}
    with pytest.raises(CredentialRefused, match='refused the credential "risk_service"') as raised:
        credit(desk, customers("C-100017"), file=None, credential="risk_service")
    assert raised.value.credential == "risk_service"


def test_an_unknown_credential_is_one_sentence(desk: Desk) -> None:
    with pytest.raises(ProjectError, match='credential "nobody" is not known'):
        credit(desk, customers("C-100017"), file=None, credential="nobody")


def test_a_service_in_trouble_may_be_tried_again(desk: Desk, office: PracticeOffice) -> None:
    office.faults.switch_on(Fault(kind="error", application="risk", times=1))
    with pytest.raises(ApplicationError, match="status 500") as raised:
        credit(desk, customers("C-100017"), file=None, credential="risk_service")
    assert raised.value.transient
    assert credit(desk, customers("C-100017"), file=None, credential="risk_service")


def test_a_service_that_is_not_there_is_one_sentence(desk: Desk, tmp_path: Path) -> None:
    desk.practice = type("Nowhere", (), {"addresses": {"risk": "http://127.0.0.1:9"}})()
    with pytest.raises(ApplicationError, match="risk can't be reached") as raised:
        credit(desk, customers("C-100017"), file=None, credential="risk_service")
    assert raised.value.transient


@pytest.mark.parametrize("number", ["../admin", "a/b", "a?b=c", "a#b", "..", "Köln 1"])
def test_a_customer_number_never_leads_to_another_path(desk: Desk, number: str) -> None:
    try:
        found = credit(desk, customers(number), file=None, credential="risk_service")
    except BusinessError as error:
        assert error.code == "bad_path"
    else:
        assert found[0]["credit_limit"] is None


# decision tables


def decided(desk: Desk, table: str, *rows: dict[str, object], columns: dict[str, object] | None = None) -> list[object]:
    types = columns or dict.fromkeys(rows[0], TEXT)
    given = Table.from_rows(types, rows)  # type: ignore[arg-type]
    return list(bot("decisions.look_up")(desk.context, rows=given, table=table).rows.rows())


def test_the_first_line_that_fits_decides(desk: Desk) -> None:
    found = decided(
        desk, "service_matrix",
        {"topic": "complaint", "customer_class": "A"}, {"topic": "complaint", "customer_class": "B"},
        {"topic": "complaint", "customer_class": None}, {"topic": "weather", "customer_class": "A"},
    )  # fmt: skip
    assert [(row["priority"], row["answer_within"]) for row in found] == [  # type: ignore[index]
        ("high", Duration.parse("4h")), ("high", Duration.parse("8h")), ("high", Duration.parse("8h")), (None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "percent"), [("999.99", "0.03"), ("1000", "0.07"), ("5000", "0.12"), ("0", "0.03")])
def test_ranges_are_half_open(desk: Desk, value: str, percent: str) -> None:
    columns = {"supplier_class": TEXT, "item_group": TEXT, "order_value": MONEY}
    row = {"supplier_class": "A", "item_group": "steel", "order_value": Decimal(value)}
    assert decided(desk, "purchase_discounts", row, columns=columns)[0]["discount_percent"] == Percent(percent)  # type: ignore[index]


def test_all_lines_that_fit_give_a_row_each_and_a_record_is_one_row(desk: Desk) -> None:
    found = bot("decisions.look_up")(desk.context, rows={"job": "accountant", "location": "HAM"}, table="access_matrix")
    assert [row["role"] for row in found.rows.rows()] == ["mail", "intranet", "erp_finance", "cash_desk_ham"]


def test_a_mistake_in_the_lines_names_its_place(desk: Desk) -> None:
    place = desk.folder / "tables" / "service_matrix.csv"
    place.write_text(place.read_text(encoding="utf-8").replace("4h", "soon"), encoding="utf-8")
    with pytest.raises(BusinessError, match=r'tables/service_matrix\.csv, line 2, answer_within: "soon"') as raised:
        decided(desk, "service_matrix", {"topic": "praise", "customer_class": "A"})
    assert raised.value.code == "bad_table"


def test_columns_that_the_table_asks_for_are_named(desk: Desk) -> None:
    with pytest.raises(BusinessError, match="the rows lack customer_class"):
        decided(desk, "service_matrix", {"topic": "praise"})
    with pytest.raises(BusinessError, match="have team already"):
        decided(desk, "service_matrix", {"topic": "praise", "customer_class": "A", "team": "x"})


def test_risk_points_stand_beside_every_row_with_their_reasons(desk: Desk) -> None:
    columns = {"country": TEXT, "industry": TEXT, "ownership_layers": NUMBER, "channel": TEXT}
    rows = Table.from_rows(columns, [
        {"country": "DE", "industry": "Crypto", "ownership_layers": Decimal(5), "channel": "agent"},
        {"country": "DE", "industry": "retail", "ownership_layers": Decimal(1), "channel": "letter"},
    ])  # fmt: skip
    first, second = bot("risk.score")(desk.context, rows=rows, table="kyc_risk").rows.rows()
    assert (first["risk_points"], first["risk_band"]) == (100, "high")
    assert first["risk_reasons"] == "industry Crypto +50; ownership_layers 5 +35; channel agent +15"
    assert (second["risk_points"], second["risk_band"]) == (None, None)
    assert second["risk_reasons"] == "channel letter has no points"


@pytest.mark.parametrize(
    ("columns", "table", "code"),
    [
        ({"country": TEXT}, "kyc_risk", "no_column"),
        ({"country": TEXT}, "service_matrix", "bad_table"),
        (dict.fromkeys(("country", "industry", "ownership_layers", "channel", "risk_band"), TEXT), "kyc_risk",
         "column_there"),
    ],
)  # fmt: skip
def test_rows_that_a_risk_table_cant_score_are_refused(
    desk: Desk, columns: dict[str, Type], table: str, code: str
) -> None:
    with pytest.raises(BusinessError) as raised:
        bot("risk.score")(desk.context, rows=Table.from_rows(columns, []), table=table)
    assert raised.value.code == code
