"""The activations with their derivatives: the lecture's table, drawn."""

import json
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bpsvc.nn import ACTIVATIONS
from bpsvc.reporting.encoding import number
from bpsvc.reporting.figures.panels import Layout, sheet, swatch
from bpsvc.reporting.figures.record import NETWORKS, FigureRecord
from bpsvc.reporting.material import Material
from bpsvc.reporting.palette import OKABE_ITO
from bpsvc.reporting.style import Style

LECTURE: Final = (
    *("identity", "binary_step", "logistic", "tanh", "arctan"),
    *("relu", "prelu", "elu", "softplus"),
)
_NINE: Final[tuple[tuple[str, dict[str, float]], ...]] = tuple((one, {}) for one in LECTURE)
_REACH: Final = 4.0
_POINTS: Final = 401
_COLUMNS: Final = ["activation", "formula", "slope", "z", "value", "derivative"]


def table(
    chosen: Iterable[tuple[str, dict[str, float]]] = _NINE,
) -> pd.DataFrame:
    """f(z) and f'(z) on −4 … 4 for activations given as (name, knobs); the lecture's nine when none are
    given.
    """
    z = np.linspace(-_REACH, _REACH, _POINTS)
    parts = []
    for name, knobs in chosen:
        record = ACTIVATIONS[name]
        value, derivative = record(z, **knobs), record.prime(z, **knobs)
        told = ", ".join(f"{knob} = {number(setting)}" for knob, setting in knobs.items())
        parts.append(
            pd.DataFrame({"z": z, "value": value, "derivative": derivative}).assign(
                activation=f"{record.name} ({told})" if told else record.name,
                formula=record.formula,
                slope=record.slope,
            )
        )
    return (pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS))[_COLUMNS]


def prepare(material: Material) -> pd.DataFrame:
    """The hidden activations that these runs use, with their knobs."""
    return table(_used(material))


def _used(material: Material) -> list[tuple[str, dict[str, float]]]:
    used: dict[str, tuple[str, dict[str, float]]] = {}
    for spec in material.runs["spec"].unique() if "spec" in material.runs else ():
        for layer in _layers(spec)[:-1]:
            given: Any = layer.get("activation") or {}
            name = str(given if isinstance(given, str) else given.get("name"))
            if name not in ACTIVATIONS or ACTIVATIONS[name].output_only:
                continue
            default = {knob.name: knob.default for knob in ACTIVATIONS[name].knobs}
            knobs = {} if isinstance(given, str) else {k: v for k, v in given.items() if k in default}
            telling = {k: v for k, v in knobs.items() if k == "alpha" or v != default[k]}
            used.setdefault(json.dumps([name, telling], sort_keys=True), (name, telling))
    return list(used.values())


def _layers(spec: object) -> list[dict[str, Any]]:
    loaded = json.loads(spec) if isinstance(spec, str) else spec
    network = loaded.get("network") if isinstance(loaded, dict) else None
    layers = network.get("layers") if isinstance(network, dict) else None
    return layers if isinstance(layers, list) else []


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A panel per activation: f solid, f' dashed."""
    names = list(dict.fromkeys(frame["activation"]))
    legend = [
        swatch("f(z)", OKABE_ITO[0], style),
        swatch("f′(z)", OKABE_ITO[1], style, linestyle=(0, (3.2, 1.6))),
    ]
    columns = {1: 1, 2: 2, 4: 2}.get(len(names), 3)
    figure, axes = sheet(style, names, legend, Layout(title, "z", "", left=4.0, columns=columns, aspect=0.6))
    axes[0].set_xlim(-_REACH, _REACH)
    axes[0].set_ylim(-2.2, 3.2)
    axes[0].set_yticks([-2, -1, 0, 1, 2, 3])
    axes[0].set_xticks([-4, -2, 0, 2, 4])
    for ax, name in zip(axes, names, strict=True):
        rows = frame[frame["activation"] == name]
        ax.axhline(0, color="#999999", linewidth=0.4 * style.line)
        ax.axvline(0, color="#999999", linewidth=0.4 * style.line)
        z = rows["z"].to_numpy(np.float64)
        ax.plot(z, _gapped(rows["value"]), color=OKABE_ITO[0])
        ax.plot(z, _gapped(rows["derivative"]), color=OKABE_ITO[1], linestyle=(0, (3.2, 1.6)))
        ax.text(
            0.98,
            0.03,
            f"f = {rows['formula'].iloc[0]}\nf′ = {rows['slope'].iloc[0]}",
            transform=ax.transAxes,
            ha="right",
            va="bottom",
            size=0.72 * style.font,
            color="#555555",
            linespacing=1.3,
        )
    return figure


def _gapped(values: "pd.Series[float]") -> np.ndarray[Any, Any]:
    """The values with a gap wherever they jump."""
    y = values.to_numpy(np.float64).copy()
    steps = np.abs(np.diff(y))
    jumps = np.flatnonzero(steps > 0.2)
    y[jumps] = np.nan
    return y


def caption(frame: pd.DataFrame) -> str:
    return (
        "The hidden activations with their derivatives: what multiplies the signal on its way back through "
        "a layer is f′. At a jump the value on the right counts, as in the lecture."
    )


FUNCTIONS: Final = FigureRecord(
    name="activations",
    title="Activations and their derivatives",
    needs="at least two hidden activations",
    applies=lambda m: len(_used(m)) >= 2,
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT DISTINCT activation
FROM experiment_runs JOIN runs USING (run_id)
WHERE experiment IN ({experiments})""",
    section=NETWORKS,
)
