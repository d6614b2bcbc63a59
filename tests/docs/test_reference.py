"""The reference pages are what the code says, and every command explains itself."""

import re

import click
import pytest

from bpsvc import nn
from bpsvc.data.sources import SOURCES
from bpsvc.store import PUBLIC
from docs.generate import commands
from docs.generate.pages import PAGES, ROOT


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), f"docs/{name} is old: run `make docs`"


@pytest.mark.parametrize(
    ("name", "command"), [*commands.commands()], ids=lambda one: getattr(one, "name", one)
)
def test_every_command_says_what_it_does_and_shows_how(name: str, command: click.Command) -> None:
    sentence = commands.sentence(command)
    assert re.match(r"[A-Z].+\.$", sentence), f"{name}: the help begins with a sentence"
    text = commands.help_of(name, command)
    assert "Examples:" in text, f"{name}: the help shows examples"
    assert re.search(rf"^ +{re.escape(name)}( |$)", text.split("Examples:")[1], re.MULTILINE)
    for option in command.params:
        assert getattr(option, "help", None), f"{name}: {option.name} has no help"


def test_nothing_that_a_spec_can_name_is_missing() -> None:
    page = PAGES["spec.md"]()
    for table in (nn.ACTIVATIONS, nn.LOSSES, nn.INITIALIZERS, nn.OPTIMIZERS, nn.SCHEDULES, SOURCES):
        for record in table.values():
            assert f"| `{record.name}` |" in page
            assert all(f"`{knob.name}`: {knob.doc}" in page for knob in record.knobs if "|" not in knob.doc)


def test_every_public_column_is_explained() -> None:
    page = PAGES["database.md"]()
    for relation in PUBLIC.values():
        part = page.split(f"## {relation.name}\n")[1].split("\n## ")[0]
        assert all(f"| `{column.name}` |" in part for column in relation.columns)
        assert relation.example in part


def test_links_between_pages_lead_somewhere() -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("*.md")}
    readme = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    headed = {**pages, "README.md": readme}
    anchors = {name: {anchor(line) for line in text.splitlines()} for name, text in headed.items()}
    for name, text in {**pages, "../README.md": readme}.items():
        for target in re.findall(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)", text):
            if "://" in target:
                continue
            path, _, fragment = target.partition("#")
            file = (ROOT / name).parent / path if path else ROOT / name
            assert file.exists(), f"{name}: {target}"
            if fragment and file.suffix == ".md":
                assert fragment in anchors[file.name], f"{name}: {target}"


def anchor(line: str) -> str:
    """The anchor that a heading gets."""
    if not line.startswith("#"):
        return ""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.lstrip("# "))
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
