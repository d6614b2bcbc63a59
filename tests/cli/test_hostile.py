"""Stored text that is hostile somewhere: inert in every output. And what the package never does."""

import ast
import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_help import TINY, Bpsvc

import bpsvc as package

NAMES = (
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
    "+SUM(A1)",
    "$\\frac{1}{2}$",
    "a|b",
    "![x](http://evil.example/x.png)",
    "../../x",
    "`rm -rf`",
    "$(touch owned)",
    "; DROP TABLE runs; --",
    "' OR 1=1 --",
    "-rf",
    "%s{0}{{7*7}}",
)
SOURCES = sorted(Path(package.__file__).parent.rglob("*.py"))


@pytest.fixture
def hostile(bpsvc: Bpsvc) -> None:
    """A store with an experiment of each name."""
    paths = []
    for number, name in enumerate(NAMES):
        path = Path(f"{number}.json")
        spec = {**TINY, "name": name, "description": name, "seeds": 1}
        path.write_text(json.dumps({**spec, "training": {"learning_rate": 1.0, "epochs": 2}}))
        paths.append(path)
    assert bpsvc("submit", "-q", *paths, "--processes", 1).code == 0


@pytest.mark.usefixtures("hostile")
def test_names_are_names_in_every_form(bpsvc: Bpsvc) -> None:
    sql = "SELECT name, description FROM experiments ORDER BY rowid"
    listed = bpsvc("query", "SELECT name FROM experiments", "--format", "json").json
    assert {row["name"] for row in listed} == set(NAMES)
    text = bpsvc("query", "SELECT name FROM experiments", "--format", "csv").out
    cells = [row[0] for row in csv.reader(io.StringIO(text))][1:]
    assert {cell.removeprefix("'") if cell[1:2] in "=+-@" else cell for cell in cells} == set(NAMES)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    markdown = bpsvc("query", sql.replace("rowid", "name"), "--format", "markdown").out
    assert "<script>" not in markdown and "](" not in markdown
    rows = markdown.splitlines()
    assert len(rows) == 2 + len(NAMES)
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)
    for command in (("status",), ("runs",), ("show", "1")):
        ran = bpsvc(*command)
        assert ran.code == 0
        assert all(c == "\n" or c.isprintable() for c in ran.out + ran.err)


@pytest.mark.usefixtures("hostile")
def test_names_are_names_on_the_command_line(bpsvc: Bpsvc) -> None:
    before = sorted(Path().iterdir())
    for name in NAMES:
        ran = bpsvc("runs", "--format", "json", "--", name)
        assert ran.code == 0 and len(ran.json) == 2
        assert bpsvc("cancel", "--", name).code == 0
    assert bpsvc("export", "--format", "csv", "--", *NAMES).code == 0
    folders = {path for path in set(Path().iterdir()) - set(before) if path.is_dir()}
    assert folders == {Path("exports")}, "a name never becomes a path by itself"
    assert not Path("owned").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("hostile")
def test_a_report_shows_names_as_they_are(bpsvc: Bpsvc) -> None:
    ran = bpsvc("report", "--", *NAMES[:4])
    assert ran.code == 0, ran.err
    page = Path(ran.out.strip())
    assert page.resolve().is_relative_to(Path("reports").resolve())
    text = page.read_text()
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text
    for table in page.parent.rglob("*.csv"):
        for row in csv.reader(io.StringIO(table.read_text())):
            assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in row), table


def test_controls_from_sql_do_not_reach_the_terminal(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", "--detach", "-q", tiny)
    codes = (27, 7, 8, 13, 155, 0x202E, 0x200B, 0x2028, 127)
    sql = "SELECT " + " || ".join(f"'a' || char({code})" for code in codes) + " AS x"
    for form in ("table", "csv", "json", "markdown"):
        out = bpsvc("query", sql, "--format", form).out
        assert all(c in "\n\r" or c.isprintable() for c in out), form
    (row,) = bpsvc("query", sql, "--format", "json").json
    assert row["x"] == "".join(f"a{chr(code)}" for code in codes), "JSON keeps what it escapes"


def test_an_export_has_no_controls_and_no_formulas(bpsvc: Bpsvc, tiny: Path) -> None:
    """What went wrong with a run is text of any kind, as what an operating system says may be."""
    bpsvc("submit", "--detach", "-q", tiny)
    said = ["\x1b]0;owned\x07", "=\u202e1+1", "\r@SUM(A1)", "a\xa0b\u3000=", "\n-1", "\x9b2J"]
    with sqlite3.connect("bpsvc.db") as plain:
        sql = "UPDATE _run SET status = 'failed', error = ? WHERE id = ?"
        plain.executemany(sql, [(text, number) for number, text in enumerate(said, 1)])
    plain.close()
    assert bpsvc("export", "tiny").code == 0
    text = Path("exports/tiny/runs.csv").read_text()
    cells = [row["error"] for row in csv.DictReader(io.StringIO(text))]
    assert cells == ["�]0;owned�", "'=�1+1", "'\n@SUM(A1)", said[3], "'\n-1", "�2J"]
    asked = bpsvc("query", "SELECT error FROM runs", "--format", "csv").out
    assert [row["error"] for row in csv.DictReader(io.StringIO(asked))] == cells
    assert bpsvc("export", "tiny", "--format", "jsonl").code == 0
    lines = Path("exports/tiny/runs.jsonl").read_text()
    assert [json.loads(line)["error"] for line in lines.splitlines()] == said
    assert not set("\x1b\x07\x9b\u202e") & set(text + lines)


def test_errors_do_not_reach_the_terminal_with_controls(bpsvc: Bpsvc, tiny: Path) -> None:
    for arguments in (
        ("submit", "\x1b[2J.json"),
        ("submit", tiny, "--set", "\x1b]0;x\x07=1"),
        ("status", "--db", "\x1b[2J.db"),
        ("report", "\x9b2J"),
    ):
        ran = bpsvc(*arguments)
        assert ran.code in (2, 4)
        assert all(c == "\n" or c.isprintable() for c in ran.err)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(SOURCES[0].parent)) for path in SOURCES])
def test_no_pickle_no_eval_no_shell_no_network(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    forbidden = {"pickle", "dill", "cloudpickle", "shelve", "joblib", "pty", "urllib3", "requests", "http"}
    assert not imported & (forbidden | {"ftplib", "smtplib", "telnetlib", "xmlrpc", "yaml"})
    for name, call in calls(tree):
        assert name not in ("eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.popen2"), (
            name
        )
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        for switch in ("shell", "allow_pickle"):
            value = given.get(switch)
            assert value is None or (isinstance(value, ast.Constant) and value.value is False), switch
        if name in ("np.load", "numpy.load"):
            assert "allow_pickle" in given


def test_the_grep_can_fail() -> None:
    tree = ast.parse("import os\nos.system('ls')\neval('1')")
    assert [name for name, _ in calls(tree)] == ["os.system", "eval"]
