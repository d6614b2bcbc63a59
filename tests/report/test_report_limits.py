"""What is huge or next to nothing neither stops a figure nor flattens what else it shows."""

import dataclasses

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bpsvc.reporting import FIGURES, STYLES, Material, data, figure
from bpsvc.reporting.figures.scales import log_axis
from bpsvc.reporting.style import drawing


@pytest.fixture(scope="module")
def wild(xor: Material) -> Material:
    """XOR, of which run 1 (of ten with the loss log_likelihood) blew up, and run 2 came down to rounding."""
    epochs, runs = xor.epochs.copy(), xor.runs.copy()
    for run, value in ((1, 1.7e299), (2, 2e-323)):
        late = epochs["run_id"].eq(run) & (epochs["epoch"] > 10)
        epochs.loc[late, "loss"] = value
        runs.loc[runs["run_id"].eq(run), "final_loss"] = value
    epochs.loc[epochs["run_id"].eq(1) & (epochs["epoch"] > 10), "log_likelihood"] = -4 * 1.7e299
    return dataclasses.replace(xor, epochs=epochs, runs=runs)


def rendered(drawn: Figure) -> Figure:
    FigureCanvasAgg(drawn).draw()
    return drawn


@pytest.mark.parametrize(
    "values", [[0.1, 1.7e299], [1.7e308], [2e-323, 0.2], [5e-324], [5e-324, 1.7e308], [np.inf, 0.0, -1.0]]
)
@pytest.mark.parametrize("which", ["x", "y"])
def test_a_log_axis_has_room_for_any_float(values: list[float], which: str) -> None:
    with drawing(STYLES["screen"]):
        ax = Figure().add_subplot()
        log_axis(ax, values, which)
        ax.plot(*(values, np.zeros(len(values)))[:: 1 if which == "x" else -1])
        low, high = ax.get_ylim() if which == "y" else ax.get_xlim()
        assert 0 < low < high < np.inf
        rendered(ax.get_figure())


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", ["loss", "final"])
def test_one_wild_run_does_not_flatten_the_losses_of_others(wild: Material, name: str, style: str) -> None:
    frame = data(wild, name)
    drawn = rendered(figure(frame, name, style=style))
    (ax,) = (ax for ax in drawn.axes if "log" in str(ax.get_title(loc="left")))
    low, high = ax.get_ylim() if name == "loss" else ax.get_xlim()
    start = wild.runs.loc[wild.runs["loss"] == "log_likelihood", "initial_loss"].max()
    assert high < 1e6 * start, "10³, and a margin"
    assert low > 1e-36
    said = FIGURES[name].caption(frame)
    assert "1,000 times the largest loss before training: 1 run went above, as far as about 10²⁹⁹." in said
    assert "10⁻³² of the largest loss before training: 1 run went below, as far as about 10⁻³²³." in said
    if name == "final":
        texts = {text.get_text() for text in ax.texts}
        assert {"1 above", "1 below"} <= texts


@pytest.mark.parametrize("name", ["loss", "final", "likelihood"])
def test_where_all_is_in_the_frame_nothing_is_said_of_it(xor: Material, name: str) -> None:
    assert "The frame ends" not in FIGURES[name].caption(data(xor, name))


def test_a_median_that_blew_up_does_not_flatten_the_log_likelihoods(xor: Material) -> None:
    mine = xor.runs.loc[xor.runs["learning_rate"] == 4, "run_id"]
    late = xor.epochs["run_id"].isin(mine) & (xor.epochs["epoch"] > 10)
    epochs = xor.epochs.assign(log_likelihood=xor.epochs["log_likelihood"].mask(late, -1e200))
    frame = data(dataclasses.replace(xor, epochs=epochs), "likelihood")
    low, _ = rendered(figure(frame, "likelihood")).axes[0].get_ylim()
    start = xor.epochs.loc[xor.epochs["epoch"] == 0, "log_likelihood"].min()
    assert low > 4 * start
    assert "three times the lowest interval before training: 1 median went below." in FIGURES[
        "likelihood"
    ].caption(frame)
