"""A figure is a record: what it needs, how its data are prepared, how they are drawn, what is said beneath
it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from bpsvc.reporting.material import Material
from bpsvc.reporting.style import Style

SUCCESS: Final = "Success"
LEARNING: Final = "Learning"
SIGNALS: Final = "Signals and gradients"
FACTORS: Final = "Factors"
NETWORKS: Final = "Networks and their outputs"
COST: Final = "Cost"
_CHOSEN: Final = "experiment IN ({experiments})"
SECTIONS: Final = (SUCCESS, LEARNING, FACTORS, SIGNALS, NETWORKS, COST)


@dataclass(frozen=True)
class FigureRecord:
    """One figure.

    section: the part of the report where it stands, one of SECTIONS.
    applies: whether there is anything to draw; `needs` says in words what it takes.
    prepare: Material -> the data of the picture, which tests assert and which is written as CSV beside it.
    draw: (those data, style, title) -> Figure. Pure but for being called inside `style.drawing`.
    caption: those data -> plain sentences with n, units and methods.
    sql: the query over the public tables that gives the numbers behind it. In `experiment IN ({experiments})`
    the braces stand for the names; in a report on some of their runs the whole condition is another one.
    """

    name: str
    title: str
    needs: str
    applies: Callable[[Material], bool]
    prepare: Callable[[Material], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Style, str], Figure]
    caption: Callable[[pd.DataFrame], str]
    sql: str
    section: str = FACTORS
    also_called: tuple[str, ...] = ()

    def data(self, material: Material) -> pd.DataFrame:
        """The prepared data, prepared once."""
        return material.once(self.prepare)

    def query(self, experiments: tuple[str, ...], only: str = "") -> str:
        """The SQL for these experiments, ready to paste; `only`: for their runs that meet this condition."""
        names = ", ".join("'" + name.replace("'", "''") + "'" for name in experiments)
        return self.sql.strip().replace(_CHOSEN, only or _CHOSEN).replace("{experiments}", names)
