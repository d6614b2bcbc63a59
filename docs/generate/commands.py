"""docs/commands.md: every command's own help."""

from collections.abc import Iterator
from pathlib import Path

import click
import typer

from bpsvc.cli.app import app

_WIDTH = 100
_INTRODUCTION = Path(__file__).with_name("commands.md").read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, click.Command]]:
    """(full name, command) of every command that does something, in the order of `bpsvc --help`."""
    yield from _within("bpsvc", typer.main.get_command(app))


def _within(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child, one in children.items():
        yield from _within(f"{name} {child}", one)


def sentence(command: click.Command) -> str:
    """What a command does: the first paragraph of its help."""
    return " ".join((command.help or "").split("\n\n")[0].split())


def help_of(name: str, command: click.Command) -> str:
    settings = app.info.context_settings or {}
    context = command.context_class(
        command, info_name=name, terminal_width=_WIDTH, max_content_width=_WIDTH, **settings
    )
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    return "\n".join(lines).strip()


def page() -> str:
    lines = [_INTRODUCTION, "| command | what it does |", "|---|---|"]
    for name, command in commands():
        lines.append(
            f"| [`{name.removeprefix('bpsvc ')}`](#{name.replace(' ', '-')}) | {sentence(command)} |"
        )
    for name, command in commands():
        lines += ["", f"## {name}", "", "```text", help_of(name, command), "```"]
    return "\n".join(lines) + "\n"
