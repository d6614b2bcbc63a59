"""All files of a report as (name, bytes), a pure function of the material."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bpsvc.errors import UsageError
from bpsvc.inert import visible
from bpsvc.reporting.figures import FIGURES, FigureRecord
from bpsvc.reporting.material import Material
from bpsvc.reporting.render.pictures import inlined, saved
from bpsvc.reporting.render.publish import Content
from bpsvc.reporting.render.tabular import csv, latex, markdown
from bpsvc.reporting.style import STYLES, Style, drawing
from bpsvc.reporting.summary import summary
from bpsvc.reporting.tables import TABLES

FORMATS: Final = ("html", "svg", "png", "pdf", "csv", "md", "tex")
USUAL: Final = ("html", "svg", "png", "csv", "md", "tex")


@dataclass(frozen=True)
class Shown:
    """A figure as the page shows it."""

    name: str
    title: str
    section: str
    caption: str
    sql: str
    svg: Markup
    files: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """A table as the page shows it."""

    name: str
    title: str
    note: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    files: tuple[str, ...]


def build(
    material: Material,
    formats: Sequence[str] = USUAL,
    style: Style = STYLES["screen"],
    only: Sequence[str] | None = None,
) -> Iterator[tuple[str, Content]]:
    """Every file of a report: `index.html`, `figures/NAME.svg …`, `tables/NAME.csv …`.

    `only` names the figures wanted; None: all that apply.
    """
    wanted = known_formats(formats)
    chosen = list(FIGURES) if only is None else [FIGURES.canonical(name) for name in only]
    tables: list[Listed] = []
    figures: list[Shown] = []
    absent: list[tuple[str, str]] = []
    for table in TABLES.values():
        if not table.applies(material):
            absent.append((table.title, table.needs))
            continue
        numbers = material.once(table.prepare)
        words = table.present(numbers)
        files = tuple(f"tables/{table.name}.{form}" for form in ("csv", "md", "tex") if form in wanted)
        for file in files:
            yield (
                file,
                csv(numbers) if file.endswith("csv") else (markdown if file.endswith("md") else latex)(words),
            )
        rows = tuple(tuple(str(value) for value in row) for row in words.itertuples(index=False, name=None))
        tables.append(Listed(table.name, table.title, table.note(numbers), tuple(words.columns), rows, files))
    for record in (FIGURES[name] for name in FIGURES if name in chosen):
        if not record.applies(material):
            absent.append((record.title, record.needs))
            continue
        frame = record.data(material)
        pictures = drawn(
            record,
            frame,
            material,
            style,
            [form for form in ("svg", "png", "pdf") if form in wanted or form == "svg"],
        )
        files = tuple(f"figures/{record.name}.{form}" for form in (*pictures, "csv") if form in wanted)
        for file in files:
            yield file, csv(frame) if file.endswith("csv") else pictures[file.rsplit(".", 1)[1]]
        svg = inlined(pictures["svg"], record.name, record.title) if "html" in wanted else Markup()
        query = record.query(material.names, material.part.sql)
        caption = record.caption(frame)
        figures.append(Shown(record.name, record.title, record.section, caption, query, svg, files))
    if "html" in wanted:
        yield "index.html", page(material, tables, figures, absent)


def known_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """The formats, or UsageError naming the one that is none."""
    for form in formats:
        if form not in FORMATS:
            raise UsageError("there is no such report format", value=form, allowed=", ".join(FORMATS))
    return tuple(formats)


def drawn(
    record: FigureRecord, frame: pd.DataFrame, material: Material, style: Style, forms: Sequence[str]
) -> dict[str, bytes]:
    """format -> bytes of one figure."""
    title = f"{record.title} · {material.title}"
    with drawing(style, salt=record.name):
        figure = record.draw(frame, style, title)
        return {form: saved(figure, form) for form in forms}


def page(
    material: Material, tables: list[Listed], figures: list[Shown], absent: list[tuple[str, str]]
) -> bytes:
    """The one HTML file: everything inline, escaped, readable without scripts and network."""
    environment = Environment(
        loader=PackageLoader("bpsvc.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else visible(str(value)),
    )
    template = environment.get_template("report.html.j2")
    about = [
        dict(zip(material.experiments, row, strict=True))
        for row in material.experiments.itertuples(index=False)
    ]
    for experiment in about:
        experiment["spec"] = _pretty(experiment.get("spec"))
        experiment["description"] = experiment.get("description") or ""
    return template.render(
        title=material.title,
        experiments=about,
        sentences=[*material.part.sentences, *summary(material)],
        tables=tables,
        figures=figures,
        sections=[(name, list(members)) for name, members in groupby(figures, attrgetter("section"))],
        absent=absent,
        environments=_environments(material),
    ).encode()


def _pretty(spec: object) -> str:
    loaded: Any = json.loads(spec) if isinstance(spec, str) else spec
    return json.dumps(loaded, indent=2, ensure_ascii=False) if loaded is not None else ""


def _environments(material: Material) -> list[str]:
    """The fingerprints of where the runs were computed."""
    if not material.has("environment"):
        return []
    return sorted({str(value) for value in material.runs["environment"].dropna()})
