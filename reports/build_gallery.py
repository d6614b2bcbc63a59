"""`make gallery`: train every spec in specs/ and write its report into reports/gallery/, with an index page.

What needs scikit-learn's tables is left out, and said so, where they are not installed.
"""

import argparse
import html
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
# Small copies of these are what the README shows.
SHOWN = {"activations": "solved", "dying_relu": "map", "initial_ranges": "depth", "iris": "validation"}
SMALL_WIDTH = 640
PICTURES = ("solved", "validation", "depth", "loss")
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>bpsvc: gallery</title>
<style>body{{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}}
section{{border-top:1px solid #ddd;padding:1rem 0}} img{{max-width:100%;height:auto}}</style>
<h1>Gallery</h1><p>Each report is made by <code>make gallery</code> from a spec in <code>specs/</code>.</p>
{sections}</html>
"""
SECTION = """<section><h2><a href="{name}/index.html">{name}</a></h2><p>{description}</p>
<a href="{name}/index.html"><img src="{picture}" alt="{name}"></a></section>
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default=str(ROOT / "gallery.db"))
    parser.add_argument(
        "--small", type=Path, help="also write small pictures for the README into this folder"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "reports" / "gallery")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    documents = {path: json.loads(path.read_text()) for path in sorted((ROOT / "specs").glob("*.json"))}
    specs = [path for path, document in documents.items() if _possible(path, document)]
    _bpsvc("submit", "--db", arguments.db, *map(str, specs))
    sections = []
    for path in specs:
        name, description = documents[path]["name"], documents[path].get("description", "")
        _bpsvc("report", "--db", arguments.db, "--output", str(arguments.output), name)
        pictures = (arguments.output / name / "figures" / f"{picture}.png" for picture in PICTURES)
        picture = next((one for one in pictures if one.exists()), None)
        shown = "" if picture is None else picture.relative_to(arguments.output).as_posix()
        sections.append(SECTION.format(name=name, description=html.escape(description), picture=shown))
    if arguments.small is not None:
        for name, figure in SHOWN.items():
            _shrink(
                arguments.output / name / "figures" / f"{figure}.png", arguments.small / f"gallery-{name}.png"
            )
    index = arguments.output / "index.html"
    index.write_text(PAGE.format(sections="".join(sections)), encoding="utf-8")
    print(index)


def _possible(path: Path, document: dict[str, object]) -> bool:
    data = document["data"]
    needed = isinstance(data, dict) and data.get("source") == "digits"
    if needed and importlib.util.find_spec("sklearn") is None:
        print(f"{path.name} is left out: pip install 'bpsvc[tables]'", file=sys.stderr)
        return False
    return True


def _shrink(picture: Path, small: Path) -> None:
    with Image.open(picture) as image:
        height = round(image.height * SMALL_WIDTH / image.width)
        image.convert("RGB").resize((SMALL_WIDTH, height), Image.Resampling.LANCZOS).quantize(64).save(small)


def _bpsvc(*arguments: str) -> None:
    subprocess.run([sys.executable, "-c", "from bpsvc.cli import main; main()", *arguments], check=True)


if __name__ == "__main__":
    main()
