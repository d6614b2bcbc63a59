"""What all commands have in common: help with examples, --quiet, and the next step."""

import json
import re
import resource
import shlex
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from cli_help import TINY, Bpsvc, Once

from bpsvc.cli import habits
from bpsvc.cli.app import app

COMMANDS = Path(__file__).parents[2] / "docs" / "commands.md"


def commands() -> dict[str, object]:
    """Every command, by the words one types."""
    root = typer.main.get_command(app)
    found = {}
    for name, one in root.commands.items():  # type: ignore[attr-defined]
        inner = getattr(one, "commands", None)
        found |= {f"{name} {sub}": command for sub, command in inner.items()} if inner else {name: one}
    return found


@pytest.mark.parametrize("name", commands())
def test_help_begins_with_a_sentence_and_has_examples(bpsvc: Bpsvc, name: str) -> None:
    ran = bpsvc(*name.split(), "--help")
    assert ran.code == 0 and ran.err == ""
    usage, sentence, *_ = ran.out.split("\n\n")
    assert usage.startswith(f"Usage: bpsvc {name} ")
    words = " ".join(sentence.split())
    assert words[0].isupper() and "." in words, words
    _, examples = ran.out.split("Examples:")
    assert f"bpsvc {name}" in examples.split("Options:")[0]
    assert "--quiet" in ran.out and "--verbose" in ran.out
    short = bpsvc(*name.split(), "-h")
    assert short.out == ran.out


def test_every_command_has_a_next_step_or_says_it_itself() -> None:
    assert habits.NEXT.keys() | habits.KNOW_BETTER == commands().keys()
    assert not habits.NEXT.keys() & habits.KNOW_BETTER


@pytest.fixture
def trained(bpsvc: Bpsvc, tiny: Path, once: Once) -> None:
    """A store with an experiment whose runs have ended."""

    def make() -> None:
        assert bpsvc("submit", "-q", tiny, "--processes", 1).code == 0

    once(make)


@pytest.mark.parametrize(
    "arguments",
    [
        ("submit", "tiny.json"),
        ("submit", "tiny.json", "--detach"),
        ("submit", "tiny.json", "--dry-run"),
        ("worker",),
        ("status",),
        ("runs", "tiny"),
        ("show", "1"),
        ("weights", "1"),
        ("predict", "@last"),
        ("trace", "tiny.json"),
        ("gradcheck", "tiny.json"),
        ("query", "SELECT 1"),
        ("query", "--list"),
        ("validate", "tiny.json"),
        ("schema",),
        ("init", "lab"),
        ("examples",),
        ("examples", "xor"),
        ("export", "tiny"),
        ("cancel", "tiny"),
        ("retry",),
        ("rm", "tiny", "--yes"),
        ("verify",),
        ("db", "info"),
        ("db", "check"),
        ("db", "backup", "copy.db"),
        ("db", "upgrade"),
        ("schedule", "add", "tiny.json", "--cron", "0 2 * * *"),
        ("schedule", "list"),
        ("schedule", "preview", "--cron", "0 2 * * *"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("trained")
def test_a_command_ends_with_the_next_step_unless_it_is_to_be_quiet(
    bpsvc: Bpsvc, arguments: tuple[str, ...]
) -> None:
    ran = bpsvc(*arguments)
    assert ran.code == 0, ran.err
    assert ran.err.splitlines()[-1].startswith("next: ")
    assert "next: " not in ran.out
    Path("copy.db").unlink(missing_ok=True)
    quiet = bpsvc(*arguments, "--quiet")
    if arguments[0] != "rm" and arguments[:2] != ("schedule", "add"):  # these cannot be done twice
        assert quiet.code == 0 and quiet.err == ""


@pytest.mark.usefixtures("trained")
def test_the_next_step_names_what_was_asked_about(bpsvc: Bpsvc) -> None:
    for line, after in {
        "show @last": "bpsvc weights @last, or bpsvc predict @last --layers",
        "trace @last": "bpsvc weights @last",
        "trace tiny.json": "bpsvc gradcheck tiny.json",
        "query --list": "bpsvc query NAME asks one of them",
        "query fastest": "bpsvc query --list has more questions",
        "report --figure list": "bpsvc report EXPERIMENT --figure NAME",
        "report tiny --figure solved": "bpsvc report tiny draws all that there is to see",
    }.items():
        assert bpsvc(*line.split()).err.splitlines()[-1] == f"next: {after}", line


@pytest.mark.usefixtures("trained")
def test_what_fails_names_no_next_step_and_is_told_even_quietly(bpsvc: Bpsvc) -> None:
    ran = bpsvc("show", "99", "--quiet")
    assert ran.code == 3
    assert "there is no run 99" in ran.err and "next:" not in ran.err


@pytest.mark.usefixtures("trained")
def test_verbose_says_how_long_it_took(bpsvc: Bpsvc) -> None:
    last = bpsvc("status", "--verbose").err.splitlines()[-1]
    assert float(last.removesuffix(" s")) >= 0
    assert bpsvc("status").err.splitlines()[-1].startswith("next: ")


@pytest.mark.usefixtures("trained")
@pytest.mark.slow
def test_a_disk_too_full_for_a_report_is_named_with_a_remedy(bpsvc: Bpsvc) -> None:
    room = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (33_000, room[1]))
    try:
        page = bpsvc("report", "tiny", "--format", "csv")
        figure = bpsvc("report", "tiny", "--figure", "solved", "-o", "solved.png")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
    told = "File too large; make room there, or write elsewhere"
    assert (page.code, page.err) == (4, f"bpsvc: {Path('reports/tiny').resolve()}: {told}\n")
    assert (figure.code, figure.err) == (4, f"bpsvc: solved.png: {told}\n")
    assert list(Path("reports").iterdir()) == []


def test_init_writes_a_spec_that_trains_and_never_overwrites(bpsvc: Bpsvc) -> None:
    ran = bpsvc("init", "lab")
    assert ran.out.splitlines() == ["lab/first.json", "lab/bpsvc.schema.json"]
    assert ran.err == "next: edit lab/first.json, then bpsvc submit lab/first.json\n"
    spec = json.loads(Path("lab/first.json").read_text())
    assert spec["$schema"] == "bpsvc.schema.json"
    assert json.loads(Path("lab/bpsvc.schema.json").read_text()) == bpsvc("schema").json
    assert bpsvc("validate", "lab/first.json").code == 0
    assert bpsvc("init", "lab").code == 0, "doing it again changes nothing"
    Path("lab/first.json").write_text(json.dumps(TINY))
    Path("lab/bpsvc.schema.json").unlink()
    again = bpsvc("init", "lab")
    assert again.code == 2 and "lab/first.json is there already and differs" in again.err
    assert json.loads(Path("lab/first.json").read_text()) == TINY
    assert not Path("lab/bpsvc.schema.json").exists()


DOCUMENTED = {
    "init": "init lab",
    "examples": "examples",
    "examples NAME": "examples xor",
    "submit": "submit tiny.json --detach",
    "submit --dry-run": "submit tiny.json --dry-run",
    "worker": "worker",
    "report": "report tiny --check --format csv",
    "report --figure list": "report --figure list",
    "export": "export tiny",
    "gradcheck": "gradcheck tiny.json",
    "validate": "validate wrong.json",
    "cancel": "cancel tiny",
    "retry": "retry",
    "rm": "rm tiny --yes",
    "verify": "verify",
    "doctor": "doctor",
    "schedule add": "schedule add tiny.json --cron @daily",
    "db info": "db info",
    "db check": "db check",
    "db compact": "db compact",
    "db backup": "db backup copy.db",
    "db upgrade": "db upgrade",
    "db merge": "db merge other.db",
}
"""Rows of the docs that give all names, and a command each."""

AS_ELSEWHERE = {
    "status": "status",
    "runs": "runs",
    "query": "query 'SELECT 1 AS a'",
    "predict": "predict 1",
    "show": "show 1",
    "weights": "weights 1",
    "trace": "trace 1",
    "schema": "schema",
    "schedule list": "schedule list",
    "schedule show": "schedule show daily",
    "schedule preview": "schedule preview daily",
    "schedule pause": "schedule pause daily",
    "schedule resume": "schedule resume daily",
    "schedule tick": "schedule tick",
    "schedule run": "schedule run daily",
    "schedule remove": "schedule remove daily",
}
"""Commands whose names are columns, or those of another row."""


def documented(row: str) -> set[str]:
    (line,) = (line for line in COMMANDS.read_text().splitlines() if line.startswith(f"| `{row}` | "))
    return set(re.findall(r"`(\w+)`", line.split(" | ", 1)[1]))


def test_every_command_is_asked_for_json_and_documented() -> None:
    assert DOCUMENTED.keys() | AS_ELSEWHERE.keys() >= commands().keys()
    told = COMMANDS.read_text().split("## For programs")[1].split("| command | what it does |")[0]
    assert {name for name in commands() if f"`{name}`" not in told} == set()


@pytest.mark.parametrize("row", DOCUMENTED)
@pytest.mark.usefixtures("trained")
def test_json_has_the_names_that_the_docs_give(bpsvc: Bpsvc, row: str) -> None:
    Path("wrong.json").write_text(json.dumps({**TINY, "data": "xorr"}))
    expected = {"metric": "final_loss", "statistic": "median", "below": 9.0}
    Path("tiny.json").write_text(json.dumps({**TINY, "expect": [expected]}))
    assert bpsvc("submit", "tiny.json", "--detach").code == 0
    shutil.copy("bpsvc.db", "other.db")
    found = bpsvc(*shlex.split(DOCUMENTED[row]), "--json").json
    names = set(found[0] if isinstance(found, list) else found)
    for inner in {"findings", "verdicts"} & names:
        names |= set(found[inner][0])
    assert names == documented(row)


@pytest.mark.usefixtures("trained")
def test_json_is_json_and_nothing_else_on_stdout(bpsvc: Bpsvc) -> None:
    ago = f"{(datetime.now(UTC) - timedelta(minutes=5)).minute} * * * *"  # not due again for most of an hour
    bpsvc("schedule", "add", "tiny.json", "--cron", ago, "--name", "daily")
    found = {
        name: bpsvc(*shlex.split(line), *(["--json"] if name != "schema" else [])).json
        for name, line in AS_ELSEWHERE.items()
    }
    for name in ("pause", "resume", "remove"):
        assert found[f"schedule {name}"].keys() == documented("schedule add"), name
    assert found["schedule show"].keys() == documented("schedule add") | {"occurrences"}
    assert found["schedule pause"]["paused"] is True and found["schedule resume"]["paused"] is False
    assert found["schedule run"].keys() == documented("submit")
    assert found["schedule tick"] == []
    (row,) = bpsvc("query", "SELECT 1 AS a, 2 AS a, x'ff' AS b", "--format", "json").json
    assert row == {"a": 1, "a_2": 2, "b": "ff"}


@pytest.mark.usefixtures("trained")
def test_format_json_and_json_are_the_same_where_there_are_both(bpsvc: Bpsvc) -> None:
    for line in ("status", "runs", "validate tiny.json", "examples"):
        assert bpsvc(*line.split(), "--format", "json").out == bpsvc(*line.split(), "--json").out, line
    assert bpsvc("validate", "tiny.json", "--format", "text").out == ""
    both = bpsvc("runs", "--format", "csv", "--json")
    assert (both.code, both.out) == (2, "") and "--json and --format csv are two forms" in both.err


def test_a_submit_in_json_says_how_its_runs_stand(bpsvc: Bpsvc, tiny: Path) -> None:
    (queued,) = bpsvc("submit", tiny, "--detach", "--json").json
    assert (queued["experiment"], queued["new"], queued["queued"]) == ("tiny@1", 6, 6)
    (ended,) = bpsvc("submit", tiny, "--processes", 1, "--json").json
    assert (ended["new"], ended["existing"], ended["queued"], ended["done"]) == (0, 6, 0, 6)
