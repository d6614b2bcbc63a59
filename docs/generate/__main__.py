"""`make docs`: write the reference pages, and run the tutorial to fill in what its commands print.

`python -m docs.generate reference` writes the reference pages only.
"""

import sys

from docs.generate import notebook, tutorial
from docs.generate.pages import PAGES, ROOT


def main() -> None:
    for name, page in PAGES.items():
        (ROOT / name).write_text(page(), encoding="utf-8")
        print(f"docs/{name}")
    if "reference" in sys.argv[1:]:
        return
    for path in (notebook.write(), *tutorial.write()):
        print(path.relative_to(ROOT.parent))


if __name__ == "__main__":
    main()
