"""docs/schedules.md and the unit files say what is so."""

import configparser
import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bpsvc import schedule
from bpsvc.cli.scheduling import schedule_app
from bpsvc.reporting import FIGURES
from bpsvc.schedule import GRACE
from bpsvc.service.attending import EVERY_S
from bpsvc.service.settling import COMPARED
from bpsvc.spec.reading import read
from bpsvc.store import Store

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "schedules.md").read_text()
UNITS = sorted((DOCS / "systemd").iterdir())


def test_the_page_has_the_numbers_of_the_code() -> None:
    flat = " ".join(TEXT.split())
    assert GRACE.total_seconds() == 600
    assert "at most ten minutes late" in flat
    assert EVERY_S == 5
    assert "every five seconds" in flat
    assert f"up to {COMPARED - 1} before it" in flat


def test_the_page_names_every_command_and_decision() -> None:
    for command in schedule_app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        assert f"`schedule {name} " in TEXT or f"`schedule {name}`" in TEXT or f", `{name} NAME`" in TEXT, (
            name
        )
    for kind in schedule.Kind:
        assert f"| `{kind}` |" in TEXT
    for option in (
        *(f"--missed {one}" for one in schedule.Missed),
        *(f"--overlap {one}" for one in schedule.Overlap),
    ):
        assert f"`{option}`" in TEXT
    for short in ("@hourly", "@daily", "@weekly", "@monthly", "@yearly"):
        assert f"`{short}`" in TEXT
        schedule.parse(short)


def test_what_the_page_says_of_berlin() -> None:
    cron, zone = schedule.parse("30 2 * * *"), schedule.zone("Europe/Berlin")
    after = schedule.following(cron, zone, datetime(2026, 3, 28, 12, tzinfo=UTC), 1)[0].astimezone(zone)
    assert f"{after:%d %B %Y at %H:%M}" in " ".join(TEXT.split())


def test_the_example_of_expectations_is_valid() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, flags=re.DOTALL)
    spec = {
        "name": "x",
        "data": "xor",
        "network": {"hidden": [2]},
        "training": {"learning_rate": 1, "epochs": 1},
    }
    document = read(json.dumps(spec)[:-1] + ", " + block.strip() + "}")
    assert len(document.raw["expect"]) == 2


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_file_calls_commands_that_exist(path: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read_string(path.read_text())
    assert unit["Unit"]["Description"].startswith("bpsvc")
    if path.suffix == ".service":
        program, *arguments = shlex.split(unit["Service"]["ExecStart"])
        assert program.endswith("/bpsvc")
        assert arguments in (["worker", "--watch", "--quiet"], ["schedule", "tick"])
        assert unit["Service"]["Environment"].startswith("BPSVC_DB=")
    else:
        assert unit["Timer"]["OnCalendar"] == "minutely"


def test_the_questions_can_be_asked(store: Store) -> None:
    questions = re.findall(r'bpsvc query "(.*?)"', TEXT, flags=re.DOTALL)
    assert len(questions) == 2
    for sql in (*questions, FIGURES["drift"].query(("nightly@1",))):
        assert store.query(sql).rows == []


def test_the_units_are_on_the_page() -> None:
    assert [path.name for path in UNITS] == sorted(re.findall(r"\(systemd/([\w.-]+)\)", TEXT))
