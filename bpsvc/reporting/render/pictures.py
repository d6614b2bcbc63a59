"""A figure's bytes in each format, the same every time."""

import io
import re
from typing import Any, Final

from markupsafe import Markup
from matplotlib.figure import Figure

# What the formats would otherwise stamp into the file.
_METADATA: Final[dict[str, dict[str, Any]]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def saved(figure: Figure, form: str) -> bytes:
    """The figure as svg, png or pdf; to be called within `style.drawing`.

    matplotlib repeats each text in a comment beside its glyphs. Comments are taken out: no user text is left.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, metadata=_METADATA[form])
    content = buffer.getvalue()
    return re.sub(rb"\s*<!--.*?-->", b"", content, flags=re.DOTALL) if form == "svg" else content


def inlined(svg: bytes, name: str, label: str) -> Markup:
    """An SVG as an element of a page: its ids carry the figure's name, so that figures cannot borrow each
    other's clips.
    """
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'"#([^"]+)"', rf'"#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    return Markup(
        text.replace("<svg", '<svg role="img" aria-label="', 1).replace(
            'aria-label="', f'aria-label="{Markup.escape(label)}"', 1
        )
    )
