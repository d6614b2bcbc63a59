"""Where every run ended: final loss, one point a run."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bpsvc.reporting.cases import DIVERGED, UNFINISHED
from bpsvc.reporting.figures.limits import Limits, beyond, limits, said
from bpsvc.reporting.figures.loss import unit
from bpsvc.reporting.figures.record import LEARNING, FigureRecord
from bpsvc.reporting.figures.scales import log_axis
from bpsvc.reporting.figures.series import facets
from bpsvc.reporting.figures.strips import FIRST, Strip, row_height, rows_sheet, strip_legend, strip_rows
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import median_band
from bpsvc.reporting.style import Style
from bpsvc.wording import plural

_COLUMNS: Final = [
    *(
        "panel",
        "configuration",
        "colour",
        "runs",
        "diverged",
        "run_id",
        "seed",
        "initial_loss",
        "final_loss",
        "median",
        "low",
        "high",
    ),
]


def prepare(material: Material) -> pd.DataFrame:
    """One row per ended run: final_loss (inf: diverged), and its configuration's median with interval."""
    parts = []
    for facet, cases in facets(material):
        ended = cases[cases["state"] != UNFINISHED]
        for (loss, reduction), members in ended.groupby(["loss", "reduction"], sort=False):
            lost = members["state"].eq(DIVERGED)
            values = members["final_loss"].astype(np.float64).mask(lost, np.inf)
            known = values[values.notna()]
            if known.empty:
                continue
            band = median_band(known.to_numpy())
            parts.append(
                pd.DataFrame(
                    {
                        "panel": unit(loss, reduction),
                        "configuration": facet.configuration,
                        "colour": facet.colour,
                        "runs": len(known),
                        "diverged": int(lost.sum()),
                        "run_id": members.loc[known.index, "run_id"],
                        "seed": members.loc[known.index, "seed"],
                        "initial_loss": members.loc[known.index, "initial_loss"].astype(np.float64),
                        "final_loss": known,
                        "median": float(band.median),
                        "low": float(band.low),
                        "high": float(band.high),
                    }
                )
            )
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
    joined = joined.reindex(columns=_COLUMNS)
    order = pd.Categorical(joined["panel"], list(dict.fromkeys(joined["panel"])))
    return joined.iloc[np.argsort(order.codes, kind="stable")].reset_index(drop=True)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A panel per loss; runs that diverged or lie outside the frame are counted at its edges."""
    row = row_height(frame)
    legend = strip_legend(style, "one run")
    figure, axes, panels = rows_sheet(frame, style, title, legend, "final loss", False, row)
    for ax, panel in zip(axes, panels, strict=True):
        here = frame[frame["panel"] == panel]
        within = _limits(here)
        log_axis(ax, within.clipped(here["final_loss"]), "x")
        strip_rows(ax, here.replace(np.inf, np.nan), Strip("final_loss", log=True), style, row)
        each = list(here.groupby("configuration", sort=False))
        for place, (_, rows) in enumerate(reversed(each)):
            out = beyond(rows["run_id"], rows["final_loss"], within)["side"].value_counts()
            told = {"diverged": int(rows["diverged"].iloc[0]), "above": int(out.get("above", 0))}
            right = ", ".join(f"{count} {what}" for what, count in told.items() if count)
            left = f"{out['below']} below" if "below" in out else ""
            for at, text in ((0, left), (1, right)):
                ax.annotate(
                    text,
                    (at, place),
                    xycoords=("axes fraction", "data"),
                    xytext=(2 - 4 * at, -0.9 * style.font),
                    textcoords="offset points",
                    ha="right" if at else "left",
                    va="center",
                    size=0.85 * style.font,
                )
    return figure


def _outside(here: pd.DataFrame) -> pd.DataFrame:
    """The runs outside the frame of one panel: see `beyond`."""
    return beyond(here["run_id"], here["final_loss"], _limits(here))


def _limits(here: pd.DataFrame) -> Limits:
    """Those of one panel."""
    return limits(here["initial_loss"])


def caption(frame: pd.DataFrame) -> str:
    lost = int(frame.drop_duplicates(["panel", "configuration"])["diverged"].sum())
    zero = int((frame["final_loss"] == 0).sum())
    return (
        "The loss of every ended run at its last epoch, one point a run, with the median and its 95 % "
        "percentile bootstrap interval. Two heaps are two outcomes: the median tells only which one is "
        "bigger."
        + (f" Counted as larger than any: {plural(lost, 'diverged run')}." if lost else "")
        + (f" Without a place on a log axis: {plural(zero, 'run')} with a loss of exactly 0." if zero else "")
        + said(pd.concat([_outside(here) for _, here in frame.groupby("panel")]))
        + FIRST.said(frame)
    )


FINAL: Final = FigureRecord(
    name="final",
    title="Final loss, run by run",
    section=LEARNING,
    needs="at least one ended run with a final loss above 0",
    applies=lambda m: bool(((m.cases["final_loss"] > 0) & (m.cases["state"] != UNFINISHED)).any()),
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, loss, seed, status, final_loss
FROM results
WHERE experiment IN ({experiments})
ORDER BY experiment, run_id""",
)
