"""docs/tutorial.md: its shell blocks are run in order, and what they print takes the place of the output
blocks.

All blocks marked sh are run in one folder. The block marked text that follows one, if there is one, gets what
it prints (both streams, but for lines of progress, speed and advice on what to do next). A picture
`![…](images/NAME.png "FILE")` is made from FILE, which a command has written.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image

from docs.generate.pages import ROOT

PAGE: Final = ROOT / "tutorial.md"
_BLOCK: Final = re.compile(
    r"^```sh\n(?P<sh>.*?)^```\n(?P<gap>\n*)(?:^```text\n(?P<text>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
_ASIDES: Final = re.compile(r"^(training: |next: |[\d.]+ s computing).*\n", re.MULTILINE)
_PICTURE: Final = re.compile(r'!\[[^\]]*\]\((?P<target>images/[\w-]+\.png) "(?P<source>[^"]+)"\)')
_WIDTH: Final = 760
_COLORS: Final = 160


def run(folder: Path) -> str:
    """The page as it is when its commands are run in `folder`."""
    return "".join(_pieces(PAGE.read_text(encoding="utf-8"), folder))


def _pieces(text: str, folder: Path) -> Iterator[str]:
    at = 0
    for match in _BLOCK.finditer(text):
        yield text[at : match.start()]
        printed = shell(match["sh"], folder)
        yield f"```sh\n{match['sh']}```\n"
        if match["text"] is not None:
            yield f"{match['gap']}```text\n{printed}```\n"
        else:
            yield match["gap"]
        at = match.end()
    yield text[at:]


def shell(script: str, folder: Path) -> str:
    """What the commands print, with this environment's bpsvc; an error that names the script if one fails."""
    binaries = str(Path(sys.executable).parent)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BPSVC_")}
    environment |= {"PATH": f"{binaries}:{os.environ['PATH']}", "MPLBACKEND": "Agg", "COLUMNS": "100"}
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{script}\nexit code {done.returncode}\n{done.stdout}")
    return _ASIDES.sub("", done.stdout).replace(f"{folder.resolve()}/", "")


def pictures(text: str) -> Iterator[tuple[str, str]]:
    """(target, source) of every picture that a page makes."""
    for match in _PICTURE.finditer(text):
        yield match["target"], match["source"]


def small(picture: bytes) -> bytes:
    """A PNG for a page: no wider than a text column, few colours."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    height = round(image.height * _WIDTH / image.width)
    image = image.resize((_WIDTH, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.quantize(_COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def write() -> Iterator[Path]:
    """Run the page, write it anew with its pictures; the paths written."""
    with tempfile.TemporaryDirectory(prefix="bpsvc-docs-") as name:
        text = run(Path(name))
        PAGE.write_text(text, encoding="utf-8")
        yield PAGE
        for target, source in pictures(text):
            (ROOT / target).write_bytes(small((Path(name) / source).read_bytes()))
            yield ROOT / target
