"""The room's front door: material in, a published folder out."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bpsvc.errors import UsageError
from bpsvc.reporting.figures import FIGURES
from bpsvc.reporting.material import Material
from bpsvc.reporting.render.build import USUAL, build
from bpsvc.reporting.render.pictures import saved
from bpsvc.reporting.render.publish import publish
from bpsvc.reporting.style import STYLES, drawing


def write(
    material: Material,
    folder: Path,
    *,
    formats: Sequence[str] = USUAL,
    style: str = "screen",
    only: Sequence[str] | None = None,
) -> Path:
    """Publish the report of `material` as `folder`, whole or not at all; answers its index.html (or the
    folder without html).

    The same material gives the same bytes. `formats`: html, svg, png, pdf, csv, md, tex; `only` names the
    figures wanted (None: all that apply). Raises UsageError for an unknown format, style or figure, and for a
    folder that holds something other than a report.
    """
    about = {"experiments": list(material.names), **material.part.asked}
    with _seldom_collecting():
        placed = publish(build(material, formats, STYLES[STYLES.canonical(style)], only), folder, about)
    return placed / "index.html" if "html" in formats else placed


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Drawing makes very many objects: looking for garbage as often as usual takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50 * before[0], *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def data(material: Material, name: str) -> pd.DataFrame:
    """The prepared data of one figure; UsageError if there is none of that name or nothing to draw."""
    record = FIGURES[FIGURES.canonical(name)]
    if not record.applies(material):
        raise UsageError(
            f"there is nothing to draw for the figure {record.name!r}", remedy=f"it needs {record.needs}"
        )
    return record.data(material)


def figure(frame: pd.DataFrame, name: str, *, style: str = "screen", title: str | None = None) -> Figure:
    """The matplotlib Figure of one figure's prepared data."""
    record, chosen = FIGURES[FIGURES.canonical(name)], STYLES[STYLES.canonical(style)]
    with drawing(chosen, salt=record.name):
        return record.draw(frame, chosen, record.title if title is None else title)


def picture(material: Material, name: str, form: str = "svg", *, style: str = "screen") -> bytes:
    """One figure alone, as the bytes of an svg, png or pdf file."""
    record, chosen = FIGURES[FIGURES.canonical(name)], STYLES[STYLES.canonical(style)]
    if form not in ("svg", "png", "pdf"):
        raise UsageError("a figure cannot be written in this format", value=form, allowed="svg, png, pdf")
    frame = data(material, name)
    with drawing(chosen, salt=record.name):
        return saved(record.draw(frame, chosen, f"{record.title} · {material.title}"), form)
