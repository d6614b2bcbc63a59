"""Tables for people: what is kept of one that is wider than the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpsvc.cli.fitting import breadth
from bpsvc.cli.rendering import Format, render

COLUMNS = ("activation", "hidden", "loss", "optimizer", "init", "runs", "solved", "diverged")
DEEP = [
    ("tanh", str([8] * depth), "log_likelihood", "sgd", "uniform", 20, solved, 0)
    for depth, solved in ((2, 3), (5, 7), (10, 9), (20, 10))
]


def table(width: int | None, columns: tuple[str, ...] = COLUMNS, rows: object = None) -> list[str]:
    shown = DEEP if rows is None else rows
    return render(columns, shown, Format.table, width=width).splitlines()  # type: ignore[arg-type]


def test_a_table_with_room_is_whole() -> None:
    assert table(None) == table(200)
    assert "[8, 8, 8, 8, 8]" in "".join(table(200))


def test_a_narrow_table_keeps_its_chief_columns_and_names_the_others() -> None:
    assert table(60) == [
        "activation  hidden    loss            init     runs  solved",
        "──────────  ────────  ──────────────  ───────  ────  ──────",
        "tanh        [8, 8]    log_likelihood  uniform    20       3",
        "tanh        [5 × 8]   log_likelihood  uniform    20       7",
        "tanh        [10 × 8]  log_likelihood  uniform    20       9",
        "tanh        [20 × 8]  log_likelihood  uniform    20      10",
        "… 2 more columns (optimizer, diverged): --json",
    ]
    assert table(40)[0].split() == ["activation", "hidden", "loss", "solved"]
    assert table(40)[-1] == "… 4 more columns: --json"


def test_texts_are_cut_only_as_far_as_they_differ() -> None:
    rows = [("a", f"one and the same beginning {i}", "x" * 30) for i in range(3)]
    lines = table(45, ("name", "long", "other"), rows)
    assert len(set(lines[2:5])) == 3
    assert lines[0].split() == ["name", "long", "other"]
    assert table(40, ("name", "long", "other"), rows)[-1] == "… 1 more column (other): --json"


def test_what_is_empty_goes_first() -> None:
    rows = [("2026-11-24T00:00:00Z", "Tue 2026-11-24 00:00 UTC (+0000)", "")]
    assert "note" not in table(50, ("instant", "local", "note"), rows)[0]


def test_a_long_text_has_no_long_rule() -> None:
    _, rule, *rows = table(None, ("", ""), [("run_id", 1), ("spec", "x" * 2_000)])
    assert rule == "──────  " + "─" * 40
    assert len(rows[1]) > 2_000, "what goes into a pipe is whole"


CELL = st.one_of(st.none(), st.integers(-(10**6), 10**6), st.text(max_size=60))


@given(st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL), max_size=5), st.integers(40, 160))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[object, ...]], width: int) -> None:
    lines = table(width, ("run_id", "name", "status", "a_column", "another"), rows)
    assert max(map(breadth, lines)) <= width


@pytest.mark.parametrize("width", [80, 40])
def test_lines_of_wide_characters_fit(width: int) -> None:
    rows = [("学习" * 30, "率" * i, "x") for i in range(3)]
    assert max(map(breadth, table(width, ("name", "long", "other"), rows))) <= width
