"""What all commands have in common: help with examples, --quiet, and the next step."""

import json
import re
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
    assert bpsvc("show", "@last").err == "next: bpsvc weights @last, or bpsvc predict @last --layers\n"


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


@pytest.mark.usefixtures("trained")
def test_json_is_json_and_nothing_else_on_stdout(bpsvc: Bpsvc) -> None:
    for arguments in (
        ("status", "--json"),
        ("show", "1", "--json"),
        ("weights", "1", "--json"),
        ("predict", "1", "--json"),
        ("runs", "--json"),
        ("query", "--list", "--json"),
        ("query", "SELECT 1 AS a", "--json"),
        ("schedule", "list", "--json"),
        ("schedule", "preview", "--cron", "@daily", "--json"),
        ("query", "SELECT 1 AS a, 2 AS a, x'ff' AS b", "--format", "json"),
        ("trace", "1", "--json"),
        ("gradcheck", "tiny.json", "--json"),
        ("validate", "tiny.json", "--json"),
        ("submit", "tiny.json", "--dry-run", "--json"),
        ("verify", "--json"),
        ("doctor", "--json"),
        ("db", "info", "--json"),
        ("schema",),
    ):
        assert isinstance(bpsvc(*arguments).json, list | dict), arguments
    (row,) = bpsvc("query", "SELECT 1 AS a, 2 AS a, x'ff' AS b", "--format", "json").json
    assert row == {"a": 1, "a_2": 2, "b": "ff"}


@pytest.mark.parametrize(
    ("row", "arguments"),
    [
        ("submit --dry-run", "submit tiny.json --dry-run"),
        ("gradcheck", "gradcheck tiny.json"),
        ("validate", "validate wrong.json"),
        ("verify", "verify"),
        ("doctor", "doctor"),
        ("db info", "db info"),
    ],
)
@pytest.mark.usefixtures("trained")
def test_json_has_the_names_that_the_docs_give(bpsvc: Bpsvc, row: str, arguments: str) -> None:
    Path("wrong.json").write_text(json.dumps({**TINY, "data": "xorr"}))
    (line,) = (line for line in COMMANDS.read_text().splitlines() if line.startswith(f"| `{row}` | "))
    found = bpsvc(*arguments.split(), "--json").json
    names = set(found[0] if isinstance(found, list) else found)
    if "findings" in names:
        names |= set(found["findings"][0])
    assert names == set(re.findall(r"`(\w+)`", line.split(" | ", 1)[1]))
