"""The page and its files: one self-contained file, the same bytes each time, inert, and published whole."""

import dataclasses
import html.parser
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bpsvc.errors import UsageError
from bpsvc.inert import cell, visible
from bpsvc.reporting import FIGURES, TABLES, Material, picture, slug, write
from bpsvc.reporting.render.build import build
from bpsvc.reporting.render.publish import Content, publish
from bpsvc.reporting.render.tabular import csv, latex, markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
    "$\\frac{",
    "a|b`c*d_e",
    "../../etc/passwd",
    "x\x1b[31mred\u202egnp.exe",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}",
    "日本語 and \U0001f600",
    "n" * 500,
]


class Page(html.parser.HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def renamed(material: Material, names: list[str]) -> Material:
    """The material with hostile text as name, description, factor, level, activation and data."""
    levels = dict(zip(dict.fromkeys(material.runs["activation"]), names, strict=False))
    spec = json.loads(material.experiments["spec"].iloc[0]) | {"description": names[0], "name": names[1]}
    experiments = material.experiments.assign(
        experiment=names[0], name=names[0], description="\n".join(names), spec=json.dumps(spec)
    )
    runs = material.runs.assign(
        experiment=names[0], activation=material.runs["activation"].map(levels), data=names[1]
    )
    factor = names[2]
    runs = runs.assign(**{factor: runs["activation"]})
    told = material.confusion
    if told is not None:
        classes = dict(zip(told["actual"].unique(), names[3:], strict=False))
        classed = {side: told[side].map(classes) for side in ("actual", "predicted")}
        told = told.assign(experiment=names[0], **classed)
    return dataclasses.replace(
        material, experiments=experiments, runs=runs, factors=(factor, "depth"), confusion=told
    )


# Bundles, bands, piles, a colour bar and a table of numbers: one of each kind.
FEW = ("loss", "paired", "confusion", "surface")


@pytest.mark.parametrize("kind", ["xor", "clouds"])
@pytest.mark.slow
def test_two_builds_are_byte_identical(kind: str, request: pytest.FixtureRequest) -> None:
    _assert_same_again(request.getfixturevalue(kind), FEW)


def whole(files: Iterable[tuple[str, Content]]) -> dict[str, bytes]:
    return {name: content if isinstance(content, bytes) else b"".join(content) for name, content in files}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xor", "clouds", "many", "exploding"])
def test_two_whole_builds_are_byte_identical(kind: str, request: pytest.FixtureRequest) -> None:
    _assert_same_again(request.getfixturevalue(kind), None)


def _assert_same_again(material: Material, only: tuple[str, ...] | None) -> None:
    frames = {name: getattr(material, name) for name in ("experiments", "runs", "epochs", "layers")}
    copied = dataclasses.replace(material, **{name: frame.copy() for name, frame in frames.items()})
    assert whole(build(material, only=only)) == whole(build(copied, only=only))


@pytest.mark.slow
def test_the_order_of_the_records_does_not_matter(xor: Material) -> None:
    shuffled = dataclasses.replace(
        xor,
        epochs=xor.epochs.sample(frac=1, random_state=1),
        layers=xor.layers.sample(frac=1, random_state=2),
        runs=xor.runs.sample(frac=1, random_state=3),
    )
    for material in (xor, shuffled):
        assert material.cases["run_id"].is_monotonic_increasing
    assert whole(build(xor, ("csv",), only=FEW)) == whole(build(shuffled, ("csv",), only=FEW))


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(xor: Material, tmp_path: Path) -> None:
    here = write(xor, tmp_path / "here", formats=("html", "svg", "png", "pdf", "csv", "md", "tex"))
    script = (
        "import sys, tiny_trainer; from pathlib import Path; from bpsvc.reporting import write;"
        "write(tiny_trainer.xor(seeds=10, epochs=3000), Path(sys.argv[1]),"
        "formats=('html','svg','png','pdf','csv','md','tex'))"
    )
    environment = os.environ | {
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(Path(__file__).parent),
        "TZ": "Asia/Tokyo",
    }
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "there")], check=True, env=environment)
    for path in sorted(here.parent.rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "there" / path.relative_to(here.parent)).read_bytes(), (
            path.name
        )


@pytest.mark.slow
def test_one_page_needs_nothing_else(xor: Material, tmp_path: Path) -> None:
    index = write(xor, tmp_path / "xor", only=FEW)
    text = index.read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in page.tags
    assert "link" not in page.tags
    loaded = [v for n, v in page.attributes if n in ("src", "xlink:href", "srcset")]
    assert all(v.startswith(("data:image/png;base64,", "#")) for v in loaded)
    assert page.tags.count("svg") == 3
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids)), "no two elements share an id"
    references = [v[1:] for n, v in page.attributes if n in ("href", "xlink:href") and v.startswith("#")]
    references += re.findall(r"url\(#([^)]+)\)", text)
    assert set(references) <= set(ids)
    linked = [v for n, v in page.attributes if n == "href" and not v.startswith("#")]
    assert linked and all((index.parent / v).is_file() for v in linked)


@pytest.mark.slow
def test_files_beside_the_page(xor: Material, tmp_path: Path) -> None:
    folder = write(xor, tmp_path / "xor", only=FEW).parent
    for name, record in FIGURES.items():
        if name in FEW and record.applies(xor):
            for form in ("svg", "png", "csv"):
                assert (folder / "figures" / f"{name}.{form}").stat().st_size > 500
            frame = record.prepare(xor)
            stored = pd.read_csv(folder / "figures" / f"{name}.csv")
            assert len(stored) == len(frame)
            for column in frame.select_dtypes("number"):
                np.testing.assert_allclose(
                    stored[column].to_numpy(float), frame[column].to_numpy(float), rtol=1e-15
                )
    assert (folder / "tables" / "comparison.md").read_text().startswith("| configuration |")
    assert "\\toprule" in (folder / "tables" / "comparison.tex").read_text()
    assert b"Date" not in (folder / "figures" / "loss.svg").read_bytes()
    assert b"Software" not in (folder / "figures" / "loss.png").read_bytes()


# Where names stand: headings, legends, rows, cells, classes and axes.
NAMING = ("loss", "validation", "paired", "confusion")


@pytest.mark.parametrize(
    "shift, only",
    [(0, NAMING), (3, ()), (6, ()), *(pytest.param(k, None, marks=pytest.mark.slow) for k in (0, 3, 6, 9))],
)
@pytest.mark.slow
def test_hostile_names_are_inert(clouds: Material, shift: int, only: tuple[str, ...] | None) -> None:
    names = HOSTILE[shift:] + HOSTILE[:shift]
    material = renamed(clouds, names)
    files = whole(build(material, ("html", "svg", "csv", "md", "tex"), only=only))
    page = Page(files["index.html"].decode())
    assert not {"script", "img", "iframe"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    shown = " ".join(page.words)
    assert "49" not in [word for word in shown.split() if word == "49"]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", shown)
    for name, content in files.items():
        if name.endswith(".csv"):
            table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
            cells = [*table.columns, *table.select_dtypes("str").to_numpy().ravel()]
            assert not [c for c in cells if re.match(r"[=+@\t\r]|-[^\d.i]", str(c))], name
        if name.endswith(".svg"):
            assert not any(word in content for word in (b"script>", b"onerror", b"alert", b"frac", b"calc"))


def test_hostile_names_are_still_told_apart(many: Material) -> None:
    material = renamed(many, HOSTILE)
    assert material.configurations["label"].nunique() == 16


@pytest.mark.parametrize("name", ["xor", "xor-2", "a.b_c"])
def test_plain_names_are_their_own_slugs(name: str) -> None:
    assert slug(name) == name


@pytest.mark.parametrize("name", [*HOSTILE, "", ".", "..", ".git", "-rf", "xor@2", "ä", "a/b"])
def test_other_names_get_a_hash(name: str) -> None:
    made = slug(name)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*-[0-9a-f]{6}", made)
    assert len(made) <= 90


def test_slugs_stay_apart() -> None:
    assert len({slug(name) for name in ("a b", "a/b", "a-b", "a@b", "ä", "ö")}) == 6


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_cells_are_no_formulas(text: str) -> None:
    assert str(cell(text)).startswith("'")
    assert cell(-1.5) == -1.5
    frame = pd.DataFrame({text: [text], "n": [-1.5]})
    assert b"".join(csv(frame)).decode().splitlines()[-1].endswith(",-1.5")


def test_visible_keeps_text_and_drops_control() -> None:
    assert visible("a\u202eb\x1bc\nd") == "a�b�c\nd"


def test_markdown_and_latex_escape() -> None:
    frame = pd.DataFrame({"a_b": ["x|y<z", "50 % & $1"], "n": ["1", "2"]})
    assert markdown(frame).decode().splitlines()[2] == r"| x\|y\<z | 1 |"
    assert r"50 \% \& \$1 & 2 \\" in latex(frame).decode()


def test_an_unfinished_experiment_says_what_is_missing(xor: Material, tmp_path: Path) -> None:
    queued = xor.runs.assign(
        status="queued", epochs_done=0, outcome=None, solved_epoch=np.nan, final_loss=np.nan
    )
    nothing = {"epochs": xor.epochs.iloc[:0], "layers": xor.layers.iloc[:0], "surface": None}
    waiting = dataclasses.replace(xor, runs=queued, **nothing)
    text = write(waiting, tmp_path / "waiting").read_text(encoding="utf-8")
    assert "No run has ended yet (30 queued)" in text
    assert "needs a success criterion and at least one trained and ended run" in text
    assert "<svg" not in text
    half = queued.copy()
    half.loc[10:] = xor.runs.loc[10:]
    partly = dataclasses.replace(xor, runs=half)
    text = write(partly, tmp_path / "partly", only=("solved", "survival")).read_text(encoding="utf-8")
    assert "10 of 30 runs have not ended (10 queued)" in text
    empty = dataclasses.replace(xor, runs=xor.runs.iloc[:0], **nothing)
    assert "There are no runs." in write(empty, tmp_path / "nothing").read_text(encoding="utf-8")


def test_a_report_replaces_a_report_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "r"
    publish([("index.html", b"one"), ("figures/a.svg", b"x")], folder)
    publish([("index.html", b"two")], folder)
    assert (folder / "index.html").read_bytes() == b"two"
    assert not (folder / "figures").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["r"], "nothing is left beside it"
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="something other than a report"):
        publish([("index.html", b"x")], other)
    assert (other / "thesis.tex").read_text() == "years of work"
    with pytest.raises(UsageError, match="a file in its place"):
        publish([("index.html", b"x")], other / "thesis.tex")


@pytest.mark.parametrize("exchanging", [True, False])
def test_what_is_not_the_reports_own_stays_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanging: bool
) -> None:
    if not exchanging:
        monkeypatch.setattr("bpsvc.folders._exchanged", lambda *_: False)
    folder = tmp_path / "r"
    publish([("index.html", b"one"), ("figures/a.svg", b"x")], folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "figures" / "mine.svg").write_text("mine too")
    (folder / "shared").symlink_to(tmp_path)
    publish([("index.html", b"inner")], folder / "deeper" / "inner")

    def files() -> Iterator[tuple[str, Content]]:
        yield "index.html", b"two"
        (folder / "late.txt").write_text("while it was written")

    for _ in range(2):
        publish(files(), folder)
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        inner = {"deeper/inner/index.html", "deeper/inner/manifest.json"}
        assert found == {"index.html", "manifest.json", "notes.txt", "figures/mine.svg", "late.txt"} | inner
    assert (folder / "index.html").read_bytes() == b"two"
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "shared").readlink() == tmp_path
    assert "notes.txt" not in (folder / "manifest.json").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_a_file_that_stands_in_the_way_of_a_report_is_not_overwritten(tmp_path: Path) -> None:
    folder = publish([("index.html", b"one")], tmp_path / "r")
    (folder / "figures").write_text("mine")
    with pytest.raises(UsageError, match=r"stands in the way.*figures"):
        publish([("index.html", b"two"), ("figures/a.svg", b"x")], folder)
    assert (folder / "figures").read_text() == "mine"
    assert (folder / "index.html").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_a_failed_build_leaves_the_old_report(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    publish([("index.html", b"old")], folder)

    def files() -> object:
        yield "index.html", b"new"
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        publish(files(), folder)  # type: ignore[arg-type]
    assert (folder / "index.html").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_without_an_exchanging_system_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpsvc.folders._exchanged", lambda *_: False)
    folder = tmp_path / "r"
    publish([("index.html", b"one")], folder)
    publish([("index.html", b"two")], folder)
    assert (folder / "index.html").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_the_folder_is_readable_as_usual(tmp_path: Path) -> None:
    folder = publish([("index.html", b"x")], tmp_path / "r")
    mask = os.umask(0)
    os.umask(mask)
    assert folder.stat().st_mode & 0o777 == 0o777 & ~mask


def test_unknown_formats_figures_and_styles_are_answered(xor: Material, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="allowed: html, svg"):
        write(xor, tmp_path / "r", formats=("docx",))
    with pytest.raises(UsageError, match="did you mean 'solved'"):
        picture(xor, "solvd")
    with pytest.raises(UsageError, match="figure style"):
        picture(xor, "solved", style="papier")
    with pytest.raises(UsageError, match="at least two hidden layers"):
        picture(xor, "depth")
    with pytest.raises(UsageError, match="svg, png, pdf"):
        picture(xor, "solved", "gif")
    assert not list(tmp_path.iterdir())


def test_one_figure_alone(xor: Material) -> None:
    assert picture(xor, "solved", "pdf", style="paper").startswith(b"%PDF")
    assert picture(xor, "solved", "png", style="slide").startswith(b"\x89PNG")
    assert b"CreationDate" not in picture(xor, "solved", "pdf")


def test_every_table_has_a_note(xor: Material) -> None:
    for table in TABLES.values():
        if table.applies(xor):
            assert len(table.note(table.prepare(xor))) > 40
