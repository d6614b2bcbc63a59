"""docs/gradients.ipynb: its cells are run from top to bottom, and what they show is kept with them.

No kernel is needed: a cell is Python, and its last expression, unless a semicolon ends it, is what it shows.
"""

import ast
import base64
import io
import json
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import matplotlib.pyplot as plt

from docs.generate.pages import ROOT
from docs.generate.tutorial import small

NOTEBOOK: Final = ROOT / "gradients.ipynb"


def write() -> Path:
    """Run the notebook and write it anew with its outputs; its path."""
    mpl.use("Agg")
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = (cell for cell in document["cells"] if cell["cell_type"] == "code")
    for number, cell in enumerate(cells, 1):
        cell["execution_count"], cell["outputs"] = number, outputs("".join(cell["source"]), names, number)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    NOTEBOOK.write_text(text + "\n", encoding="utf-8")
    return NOTEBOOK


def outputs(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Run a cell among `names`: the value of its last expression and the figures it drew, as a notebook keeps
    them.
    """
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    found = []
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        if value is not None and not source.rstrip().endswith(";"):
            data = {"text/plain": repr(value)}
            if hasattr(value, "_repr_html_"):
                data["text/html"] = value._repr_html_()
            found.append(_output("execute_result", data) | {"execution_count": number})
    for place in plt.get_fignums():
        picture = io.BytesIO()
        plt.figure(place).savefig(picture, format="png", bbox_inches="tight", dpi=100)
        plt.close(place)
        encoded = base64.b64encode(small(picture.getvalue())).decode("ascii")
        found.append(_output("display_data", {"image/png": encoded}))
    return found


def _output(kind: str, data: dict[str, str]) -> dict[str, Any]:
    return {"output_type": kind, "data": data, "metadata": {}}
