"""Whatever is written into a spec, the command line answers: valid (0), or refused in words (2); never 70."""

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpsvc import cli, spec

SPECS = Path(__file__).parents[2] / "specs"
SHIPPED = {path.stem: json.loads(path.read_text()) for path in sorted(SPECS.glob("*.json"))}
SCHEMA = spec.json_schema()


def words(schema: Any) -> set[str]:
    """Every field and every value that the schema names."""
    if isinstance(schema, list):
        return set().union(*map(words, schema))
    if not isinstance(schema, dict):
        return set()
    own = set(schema.get("properties", ())) | {one for one in schema.get("enum", ()) if isinstance(one, str)}
    return own | set().union(*map(words, schema.values()))


WORDS = sorted(words(SCHEMA))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from([2**31, 2**63, 2**64, 10**30, -(10**30), 0.0, -0.0, 1e-308, 1e308, 0.5]),
    st.sampled_from(WORDS),
    st.text(max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything within a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in inner for place in places(item, (*at, key)))]


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """The text of a shipped spec of few epochs in which one to three things are changed."""
    document: Any = copy.deepcopy(SHIPPED[draw(st.sampled_from(sorted(SHIPPED)))])
    document["training"] = {**document["training"], "epochs": 10}
    document |= {"seeds": 2, "record": {"every": 10}}
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from([one for one in places(document) if one] or [("data",)]))
        parent = document
        for key in place[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["change", "change", "drop", "add"])):
            case "change":
                parent[place[-1]] = draw(VALUES)
            case "drop":
                del parent[place[-1]]
            case _ if isinstance(parent, dict):
                parent[draw(st.sampled_from(WORDS))] = draw(VALUES)
            case _:
                parent.append(draw(VALUES))
    text = json.dumps(document)
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.text(max_size=2)) + text[at + draw(st.integers(0, 3)) :]
    return text


def answers(
    text: str, command: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch, out: Any
) -> None:
    path = folder / "mutant.json"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    before = sorted(folder.iterdir())
    monkeypatch.setattr(sys, "argv", ["bpsvc", *command, str(path), "--allow-path"])
    code = cli.run()
    printed = out.readouterr()
    assert code in (0, 2), printed.err
    assert "Traceback" not in printed.err and len(printed.err) < 40_000
    assert (code == 2) == (printed.out == "" and "next:" not in printed.err) or command[0] == "validate"
    assert sorted(folder.iterdir()) == before, "nothing is stored"


QUIETLY = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=60, deadline=None, suppress_health_check=QUIETLY)
@given(text=mutants())
def test_validate_answers(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mutant.json").touch()
    answers(text, ("validate",), tmp_path, monkeypatch, capsys)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=QUIETLY)
@given(text=mutants())
def test_a_dry_run_answers(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BPSVC_DB", raising=False)
    (tmp_path / "mutant.json").touch()
    answers(text, ("submit", "--dry-run", "--max-runs", "200"), tmp_path, monkeypatch, capsys)
