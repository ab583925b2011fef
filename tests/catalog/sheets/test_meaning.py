"""What people and spreadsheets write into cells, and what it means."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Product
from catalog.resources import kind_named
from catalog.sheets import moments, numbers
from catalog.sheets.cells import Failed, Moment, Number, Truth, Wrong
from catalog.sheets.columns import Reading
from catalog.sheets.damage import check_text
from catalog.sheets.kinds import columns_of
from catalog.sheets.lists import joined, words
from catalog.sheets.options import options_of, text_of


def no_names(model: object) -> None:
    raise AssertionError("no test here looks names up")


def value(kind: str, column: str, cell: str, stored: dict | None = None):
    """What a cell of a column says."""
    (found,) = [one for one in columns_of(kind_named(kind)) if one.name == column]
    return found.read(cell, stored, Reading(no_names))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cell", ["yes", "YES", " Yes ", "y", "sí", "SI", "Sí\u00a0", "verdadero", "VERDADERO", "是", "真", "true", " TRUE ",
             "1", "１", "✓", Truth("TRUE"), Number("1")],
)  # fmt: skip
def test_yes_in_three_languages(cell: str) -> None:
    assert value("product", "is_active", cell) is True


@pytest.mark.parametrize("cell", ["no", "No.", "n", "falso", "FALSE", "否", "不是", "0", "off", Truth("FALSE")])
def test_no_in_three_languages(cell: str) -> None:
    assert value("product", "is_active", cell) is False


@pytest.mark.parametrize("cell", ["maybe", "x", "2", "ja", "-", "yes no", "tal vez", "可能", "#REF!"])
def test_what_is_neither_yes_nor_no_is_refused(cell: str) -> None:
    with pytest.raises(Wrong, match="neither yes nor no"):
        value("product", "is_active", cell)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("12.50", "12.50"), ("12,50", "12.50"), ("12,50 €", "12.50"), ("€12.50", "12.50"), ("€ 12,5", "12.50"),
        ("12.50 EUR", "12.50"),
        ("USD 3", "3"), ("US$3.10", "3.10"), ("¥12", "12"), ("12元", "12"), ("１２．５", "12.5"),
        ("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("1 234,50", "1234.50"), ("1\u00a0234,50\u00a0€", "1234.50"),
        ("1'234.50", "1234.50"), ("1,234,567", "1234567"), ("0,5", "0.50"), (".5", "0.50"), (" 3.10 ", "3.10"),
        ("12.500", None), ("1,234", None), ("0.125", None), ("1e3", None), ("NaN", None), ("Infinity", None),
        ("12,50,00", None), ("1.2.3", None), ("1_000", None), ("--5", None), ("twelve", None), ("12%", None),
        ("5.90123E+12", None), ("١٢", None), ("9" * 50, None), ("12.505", None), (Number("1.234"), None),
        (Number("1234"), "1234"), (Number("3.1"), "3.10"),
    ],
)  # fmt: skip
def test_amounts_as_offices_write_them(cell: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(Wrong):
            value("product", "price", cell)
    else:
        assert value("product", "price", cell) == Decimal(wanted)


def test_a_doubtful_amount_is_read_as_the_others_of_the_sheet() -> None:
    assert numbers.number("1.234", {","}) == 1234
    assert numbers.number("1,234", {"."}) == 1234
    for points in (set(), {".", ","}):
        with pytest.raises(Wrong, match="can be read as"):
            numbers.number("1,234", points)


@pytest.mark.parametrize(("cell", "wanted"), [("21", 21), ("21%", 21), ("21 %", 21), ("4,5 %", Decimal("4.5"))])
def test_per_cent_may_be_said_where_per_cent_is_meant(cell: str, wanted: object) -> None:
    assert value("product", "tax_rate", cell) == wanted
    assert value("role", "discount_limit", cell) == wanted
    assert value("price_rule", "value", f"-{cell}") == -wanted  # type: ignore[operator]


@pytest.mark.parametrize("cell", ["1.5", "one", "1,5", "", "1e2", Number("2.5")])
def test_what_is_no_whole_number_is_refused(cell: str) -> None:
    with pytest.raises(Wrong):
        value("product", "position", cell)
    assert value("product", "position", "-7") == -7
    assert value("product", "position", "3.0") == 3


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("2026-03-04", (2026, 3, 4)), ("2026/3/4", (2026, 3, 4)), ("2026年3月4日", (2026, 3, 4)),
        ("31/12/2026", (2026, 12, 31)), ("12/31/2026", (2026, 12, 31)), ("31.12.2026", (2026, 12, 31)),
        ("03/03/2026", (2026, 3, 3)), ("4 March 2026", (2026, 3, 4)), ("4 de marzo de 2026", (2026, 3, 4)),
        ("4-mar-2026", (2026, 3, 4)), ("March 4, 2026", (2026, 3, 4)), ("2026-03-04 00:00:00", (2026, 3, 4)),
        (Moment("2026-03-04"), (2026, 3, 4)),
        ("03/04/2026", None), ("31/12/26", None), ("01/02/03", None), ("30/02/2026", None), ("46082", None),
        ("tomorrow", None), ("2026-03-04 10:30", None), ("1/2", None), ("99/99/9999", None),
    ],
)  # fmt: skip
def test_dates(cell: str, wanted: tuple[int, int, int] | None) -> None:
    if wanted is None:
        with pytest.raises(Wrong):
            value("price_rule", "valid_from", cell)
    else:
        assert value("price_rule", "valid_from", cell) == dt.date(*wanted)


def test_a_doubtful_date_is_read_as_the_others_or_as_somebody_chose() -> None:
    assert moments.orders_of(["03/04/2026", "31/12/2026", "no date"]) == {"dmy"}
    assert moments.date("03/04/2026", {"dmy"}) == dt.date(2026, 4, 3)
    assert moments.date("03/04/2026", {"mdy"}) == dt.date(2026, 3, 4)
    contradicting = moments.orders_of(["31/12/2026", "12/31/2026"])
    with pytest.raises(Wrong, match="2026-03-04 / 2026-04-03"):
        moments.date("03/04/2026", contradicting)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("18:30", (18, 30)), ("18:30:00", (18, 30)), ("8:05", (8, 5)), ("6:30 pm", (18, 30)), ("12 am", (0, 0)),
        ("6:30 p. m.", (18, 30)), ("下午6:30", (18, 30)), ("18h", (18, 0)), ("18.30", (18, 30)), ("18:30 h", (18, 30)),
        (Moment("22:00:00"), (22, 0)), ("25:00", None), ("18:61", None), ("18", None), ("0.75", None), ("13 pm", None),
        ("evening", None), (Moment("2026-03-04"), None), (Number("0.75"), None),
    ],
)  # fmt: skip
def test_times(cell: str, wanted: tuple[int, int] | None) -> None:
    if wanted is None:
        with pytest.raises(Wrong, match="no time of day"):
            value("price_rule", "time_from", cell)
    else:
        assert value("price_rule", "time_from", cell) == dt.time(*wanted)


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("5 | 6", [5, 6]), ("5,6", [5, 6]), ("Fri; Sat", [5, 6]), ("viernes, SÁBADO", [5, 6]), ("周五、周六", [5, 6]),
        ("1-5", [1, 2, 3, 4, 5]), ("Mon–Fri", [1, 2, 3, 4, 5]), (Number("5"), [5]),
        ("9", None), ("0", None), ("Fr1day", None), ("5-1", None), ("1.5", None), (Number("1.5"), None), ("56", None),
    ],
)  # fmt: skip
def test_weekdays(cell: str, wanted: list[int] | None) -> None:
    if wanted is None:
        with pytest.raises(Wrong, match="no weekday"):
            value("price_rule", "weekdays", cell)
    else:
        assert value("price_rule", "weekdays", cell) == wanted


@pytest.mark.parametrize("cell", ["weight", "WEIGHT", "by weight", " Por peso", "按重量"])
def test_choices_by_their_names_in_three_languages(cell: str) -> None:
    column = next(one for one in columns_of(kind_named("product")) if one.name == "price_type")
    with translation.override("es"):
        spanish = str(Product.PriceType.WEIGHT.label)
    with translation.override("zh-hans"):
        chinese = str(Product.PriceType.WEIGHT.label)
    cell = {" Por peso": spanish, "按重量": chinese}.get(cell, cell)
    assert column.read(cell, None, Reading(no_names)) == "weight"  # type: ignore[arg-type]
    with pytest.raises(Wrong, match=r"fixed, open, weight.*Did you mean “weight”"):
        column.read("wieght", None, Reading(no_names))  # type: ignore[arg-type]


@pytest.mark.parametrize(("cell", "wanted"), [("#AABBCC", "#aabbcc"), ("aabbcc", "#aabbcc"), (" #abc ", "#aabbcc")])
def test_colours(cell: str, wanted: str) -> None:
    assert value("tag", "color", cell) == wanted
    for wrong in ("red", "#12345", "abc", "#1234567"):
        with pytest.raises(Wrong, match="is no colour"):
            value("tag", "color", wrong)


@pytest.mark.parametrize(
    "cell",
    [
        "5.90123E+12", "5,90123E+12", "1.00E+05", "1E+05", "#REF!", "#NAME?", "#¿NOMBRE?", "#N/A", "#####", "Err:502",
        "02-Jan", "Mar-01", "01-mar", "1月2日", "1/2/2026", "2026-01-02 00:00:00", "4006381333948.0",
        "123456789012345000", Number("1.5"), Number("12345678901234567890"), Moment("2026-01-02"), Truth("TRUE"),
        Failed("#REF!"), Failed("="),
    ],
)  # fmt: skip
def test_what_only_a_spreadsheet_makes_of_a_code_is_refused(cell: str) -> None:
    for column in ("sku", "barcode"):
        with pytest.raises(Wrong):
            value("product", column, cell)


@pytest.mark.parametrize(
    "cell",
    [
        "00123",
        "1E5",
        "MAR-01",
        "mar-01",
        "1-2",
        "5901234123457",
        "12.5",
        "TRUE",
        "1/2",
        "=1+1",
        Number("123"),
        "#1",
        "-5",
    ],
)
def test_codes_that_people_write_are_taken_as_they_are(cell: str) -> None:
    assert value("product", "sku", cell) == str(cell)


@pytest.mark.parametrize(
    ("stored", "cell"),
    [("00123", "123"), ("1E5", "100000"), ("1.10", "1.1"), ("1.10", "1,1"), ("+5", "5"), ("007", "7")],
)
def test_a_stored_code_that_lost_signs_is_refused(stored: str, cell: str) -> None:
    with pytest.raises(Wrong, match="after a spreadsheet made a number of it"):
        check_text(cell, stored, code=True)
    check_text(stored, cell, code=True)  # nothing but a person puts them back
    check_text(cell, "other", code=True)


def test_nothing_unseen_is_around_a_code_or_a_name() -> None:
    for cell in (" SP-1 ", "\u00a0SP-1\u200b", "\ufeffSP-1", "\u200eSP-1", "SP-1\u3000"):
        assert value("product", "sku", cell) == "SP-1"
    assert value("product", "name", "\u00a0 Café \t") == "Café"
    assert value("employee", "code", " W1 ") == "W1"


@given(st.lists(st.text(alphabet="ab|\\ *", min_size=1).map(str.strip).filter(bool)))
def test_lists_of_words_come_back(given_words: list[str]) -> None:
    assert words(joined(given_words)) == given_words


NAMES = st.text(alphabet="aB |\\*+-.1", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(
    st.lists(st.tuples(NAMES, st.booleans(), st.decimals(-99, 99, places=2)), unique_by=lambda one: one[0].casefold())
)
def test_options_come_back(given_options: list[tuple[str, bool, Decimal]]) -> None:
    rows = [
        {"name": name, "is_default": is_default, "price_change": change} for name, is_default, change in given_options
    ]
    assert options_of(text_of(rows), []) == rows


@pytest.mark.parametrize("cell", ["Small | small", "Large +1.555", "+1.50", "Large + 1,50 €"])
def test_an_odd_option_is_refused(cell: str) -> None:
    with pytest.raises(Wrong, match="is no option, or is named twice"):
        options_of(cell, [])
