"""Lines that coincide, legends of what is drawn, and ticks in one notation."""

import dataclasses

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from bpsvc.reporting import STYLES, Material, data, figure
from bpsvc.reporting.figures.scales import log_axis
from bpsvc.reporting.style import drawing


def legend_of(drawn: Figure) -> str:
    return " ".join(text.get_text() for text in drawn.findobj(Text))


@pytest.mark.parametrize("name", ["survival", "solved"])
def test_a_line_beneath_another_shows_at_its_sides(xor: Material, name: str) -> None:
    runs = xor.runs.assign(solved_epoch=100.0)
    alike = figure(data(dataclasses.replace(xor, runs=runs), name), name)
    for ax in alike.axes:
        steps = [line for line in ax.lines if line.get_drawstyle() == "steps-post"]
        widths = [line.get_linewidth() for line in sorted(steps, key=lambda line: line.get_zorder())]
        assert len(widths) == 3
        assert widths == sorted(set(widths), reverse=True), "the later, the narrower"


@pytest.mark.parametrize("kind", ["clouds", "vanishing"])
def test_a_legend_names_no_layer_without_a_line(kind: str, request: pytest.FixtureRequest) -> None:
    material: Material = request.getfixturevalue(kind)
    frame = data(material, "saturated")
    assert (frame["layer"] < frame["layers"]).all(), "nothing is known of the output's saturation"
    assert "(output)" not in legend_of(figure(frame, "saturated"))
    assert "(output)" in legend_of(figure(data(material, "weights"), "weights"))


@pytest.mark.parametrize(
    "low, high, labels",
    [
        (3.9e5, 1.6e6, ["400k", "500k", "700k", "1M", "1.5M"]),
        (0.3, 4, ["0.5", "1", "2"]),
        (3e299, 9e299, ["3e+299", "4e+299", "5e+299", "7e+299"]),
    ],
)
def test_ticks_of_an_axis_are_written_alike(low: float, high: float, labels: list[str]) -> None:
    with drawing(STYLES["screen"]):
        ax = Figure(figsize=(8, 8)).add_subplot()
        log_axis(ax, [low, high], "x")
        shown = [ax.xaxis.get_major_formatter()(tick) for tick in ax.get_xticks()]
    assert set(labels) <= set(shown)
