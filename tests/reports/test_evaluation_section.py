from dataclasses import replace

from liqwarn.reports.evaluation_section import (
    Line,
    Section,
    Table,
    markdown_of,
    markdown_table,
    sides_beside,
)

TABLE = Table(
    title="Words",
    header=("what", "side", "n", "verdict"),
    rows=(Line(("a", "long", "1", "tie"), ours=True), Line(("b", "short", "2", "better"))),
    texts=2,
    verdict=True,
)


def test_figures_stand_to_the_right_and_words_to_the_left():
    assert TABLE.figures == (False, False, True, False)
    assert "|---|---|---:|---|" in markdown_of(Section(key="k", title="T", tables=(TABLE,)))


def test_our_row_is_bold_in_its_last_column_of_words():
    assert "| a | **long** | 1 | tie |" in markdown_of(Section(key="k", title="T", tables=(TABLE,)))


def test_a_table_for_the_page_alone_and_an_empty_one_are_left_out():
    long = Table(title="Long", header=("x",), rows=(Line(("1",)),), brief=False)
    empty = Table(title="Empty", header=("x",), rows=())
    text = markdown_of(Section(key="k", title="T", tables=(long, empty)))

    assert text == "## T"


def test_both_sides_stand_in_one_row_where_each_has_one():
    rows = [("run", "long", "1", "a"), ("run", "short", "2", "b"), ("walk", "short", "3", "c")]
    table = Table(
        title="t",
        header=("what", "side", "n", "verdict"),
        rows=tuple(map(Line, rows)),
        texts=2,
        verdict=True,
        beside=("n", "verdict"),
    )
    beside = sides_beside(table)

    assert beside.header == ("what", "long n", "long verdict", "short n", "short verdict")
    assert [line.cells for line in beside.rows] == [
        ("run", "1", "a", "2", "b"), ("walk", "–", "–", "3", "c"),
    ]  # fmt: skip
    assert sides_beside(replace(table, rows=table.rows * 2)).rows == table.rows * 2


def test_a_sentence_in_pieces_is_one_line():
    text = markdown_of(Section(key="k", title="T", lead=("One piece", "goes on.", "Another.")))

    assert text.splitlines()[2:] == ["One piece goes on.", "Another."]


def test_a_line_break_or_a_bar_cannot_break_a_table():
    table = markdown_table(["a", "b"], [["x\ny", "z|z"]])

    assert table.splitlines()[-1] == "| x y | z\\|z |"
