"""Prepared data of the figures, recomputed here from the raw frames by other means."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import tiny_trainer
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from bpsvc.reporting import FIGURES, STYLES, Material, data, figure
from bpsvc.reporting.figures import depth, effects, layers, loss, paired, solved
from bpsvc.reporting.figures.first import First
from bpsvc.reporting.figures.panels import apart, wrapped


def test_share_solved_keeps_the_unsolved_in_the_denominator(xor: Material) -> None:
    frame = data(xor, "solved")
    for label, rows in frame.groupby("configuration"):
        name, rate = label.split(" · learning_rate ")
        runs = xor.runs[(xor.runs["loss"] == name) & (xor.runs["learning_rate"] == float(rate))]
        assert len(runs) == 10
        assert (rows["runs"] == 10).all()
        for row in rows.itertuples():
            assert row.solved == (runs["solved_epoch"] <= row.epoch).sum()
            assert row.share == row.solved / 10
    last = frame.groupby("configuration").tail(1)
    assert (last["epoch"] == 3000).all()
    assert last["share"].max() < 1 or last["share"].min() < 1, "the fixture has unsolved runs"


def test_unfinished_runs_are_left_out_of_shares_and_said_so(xor: Material) -> None:
    runs = xor.runs.copy()
    runs.loc[:3, "status"] = ["queued", "running", "running", "failed"]
    runs.loc[:3, "epochs_done"] = [0, 100, 2000, 500]
    frame = data(dataclasses.replace(xor, runs=runs), "solved")
    first = frame[frame["configuration"] == frame["configuration"].iloc[0]]
    assert (first["runs"] == 6).all()
    assert (first["left_out"] == 4).all()
    assert "Left out: 4 unfinished runs." in solved.caption(frame)


def test_losses_never_share_a_panel(xor: Material) -> None:
    frame = data(xor, "loss")
    assert (frame.groupby("panel")["unit"].nunique() == 1).all()
    assert set(frame["panel"]) == {"log_likelihood", "squared"}


def test_loss_medians_are_over_all_runs(xor: Material) -> None:
    frame = data(xor, "loss")
    joined = xor.epochs.merge(
        xor.runs[["run_id", "loss", "learning_rate"]], on="run_id", suffixes=("", "_name")
    )
    chosen = joined[(joined["loss_name"] == "squared") & (joined["learning_rate"] == 4)]
    expected = chosen.groupby("epoch")["loss"].median()
    mine = frame[(frame["row"] == "median") & (frame["configuration"] == "squared · learning_rate 4")]
    assert_allclose(mine.set_index("epoch")["loss"], expected)
    assert (mine["runs"] == 10).all()


def test_a_run_that_stopped_stays_in_the_median_and_a_diverged_one_is_worse_than_any(
    exploding: Material,
) -> None:
    shares = exploding.cases["state"].eq("diverged").groupby(exploding.cases["configuration"]).mean()
    assert shares[0] == 0
    assert shares[1] > 0.5, "the fixture's large step diverges"
    stopped = exploding.cases[(exploding.cases["outcome"] == "solved")]
    assert len(stopped) > 2, "the fixture has runs that stopped early"
    frame = data(exploding, "loss")
    fine = frame[(frame["row"] == "median") & (frame["configuration"] == "learning_rate 0.05")].set_index(
        "epoch"
    )
    records = exploding.epochs.merge(exploding.cases[["run_id", "configuration", "last_epoch"]], on="run_id")
    records = records[records["configuration"] == 0]
    table = records.pivot(index="epoch", columns="run_id", values="loss")
    ended = table.index.to_numpy()[:, None] > records.groupby("run_id")["last_epoch"].first().to_numpy()
    common = (table.notna() | ended).all(axis=1)
    assert not common.all(), "some run ended off the cadence, where the others have no record"
    assert_allclose(fine["loss"], table.ffill()[common].median(axis=1))
    assert (fine.index == table.index[common]).all()
    lost = frame[(frame["row"] == "median") & (frame["configuration"] == "learning_rate 1e+60")]
    assert lost.sort_values("epoch")["loss"].iloc[-1] == np.inf


def test_signal_slopes_are_the_lectures(vanishing: Material) -> None:
    frame = data(vanishing, "depth")
    slopes = frame.drop_duplicates("configuration").set_index("configuration")["decades_per_layer"]
    assert 0.35 < slopes["logistic · learning_rate 1 · depth 10"] < 0.65
    assert -0.1 < slopes["tanh · learning_rate 0.05 · depth 10"] < 0.25
    assert (frame["layer"] <= frame["hidden_layers"]).all(), "the output layer is not a hidden one"
    start = vanishing.layers[(vanishing.layers["epoch"] == 0) & (vanishing.layers["layer"] == 1)]
    runs = vanishing.runs[(vanishing.runs["activation"] == "tanh") & (vanishing.runs["depth"] == 5)]
    expected = start[start["run_id"].isin(runs["run_id"])]["delta_rms"].median()
    mine = frame[(frame["configuration"] == "tanh · learning_rate 0.05 · depth 5") & (frame["layer"] == 1)]
    assert_allclose(mine["delta_rms"].iloc[0], expected)


def test_the_signal_is_followed_midway_and_to_the_end(vanishing: Material) -> None:
    frame = data(vanishing, "depth")
    assert sorted(set(frame["epoch"])) == [0, 40, 100], "40 is midway from 20 to 100 by ratio"
    runs = vanishing.runs[(vanishing.runs["activation"] == "tanh") & (vanishing.runs["depth"] == 10)]
    records = vanishing.layers[vanishing.layers["run_id"].isin(runs["run_id"])]
    for epoch in (40, 100):
        mine = frame[
            (frame["configuration"] == "tanh · learning_rate 0.05 · depth 10") & (frame["epoch"] == epoch)
        ]
        hidden = records[(records["epoch"] == epoch) & (records["layer"] <= 10)]
        medians = hidden.groupby("layer")["delta_rms"].median()
        assert_allclose(mine["delta_rms"], medians)
        slope = np.polyfit(medians.index, np.log10(medians), 1)[0]
        assert_allclose(mine["decades_per_layer"], slope)


@pytest.mark.parametrize("style", ["screen", "slide", "paper"])
@pytest.mark.parametrize("longer", ["", " · of a name that is longer than a column"])
def test_every_style_says_the_decades_per_layer(vanishing: Material, style: str, longer: str) -> None:
    """Whole: next to the name, or beneath it where both do not fit."""
    frame = data(vanishing, "depth")
    frame = frame.assign(configuration=frame["configuration"] + longer)
    drawn = figure(frame, "depth", style=style)
    said = " ".join(" ".join(text.get_text().split()) for text in drawn.texts)
    name = "logistic · learning_rate 1 · depth 10"
    rows = frame[frame["configuration"] == name + longer].drop_duplicates("epoch")
    slopes = " → ".join(f"{slope:+.2f}" for slope in rows["decades_per_layer"])
    assert f"{slopes} ({rows['theory_decades_per_layer'].iloc[0]:+.2f})" in said
    assert name in said
    _assert_texts_apart(drawn)


def test_slopes_that_are_not_told_in_words_are_counted(many: Material) -> None:
    frame = data(many, "depth")
    panels = [frame.assign(panel=f"{k}", configuration=frame["configuration"] + f" {k}") for k in range(6)]
    wide = pd.concat(panels, ignore_index=True)
    drawn = figure(wide, "depth", style="slide")
    _assert_texts_apart(drawn)
    assert any(
        f"; 4 of {wide['configuration'].nunique()}, the CSV has all" in text.get_text()
        for text in drawn.texts
    )


def _by(material: Material, *factors: str) -> Material:
    return dataclasses.replace(material, factors=factors)


def test_a_configuration_of_several_depths_has_no_decades_per_layer(vanishing: Material) -> None:
    """`--by activation`: a median of layer 5 would be one of the deeper nets and of the outputs of others."""
    merged = _by(vanishing, "activation")
    assert (merged.cases.groupby("configuration")["depth"].nunique() == 3).all()
    assert depth.prepare(merged).empty
    assert not FIGURES["depth"].applies(merged)
    tanh_is_deep = (vanishing.runs["activation"] != "tanh") | (vanishing.runs["depth"] == 10)
    one_left = dataclasses.replace(merged, runs=vanishing.runs[tanh_is_deep].reset_index(drop=True))
    frame = data(one_left, "depth")
    assert FIGURES["depth"].applies(one_left)
    assert set(frame["configuration"]) == {"tanh"}
    assert (frame["left_out"] == 1).all()
    assert "Left out, for their nets differ in depth: 1 configuration." in depth.caption(frame)
    whole = data(vanishing, "depth")
    alike = whole[whole["configuration"] == "tanh · learning_rate 0.05 · depth 10"]
    assert_allclose(frame["decades_per_layer"], alike["decades_per_layer"])
    assert "Left out" not in depth.caption(whole)


def _stages(material: Material, epochs: list[int]) -> tuple[pd.DataFrame, str, list[str]]:
    """The data with records at these epochs alone; the heading of the slopes; the words of the legend."""
    kept = material.layers[material.layers["epoch"].isin(epochs)].reset_index(drop=True)
    frame = data(dataclasses.replace(material, layers=kept), "depth")
    drawn = figure(frame, "depth")
    (head,) = (text.get_text() for text in drawn.texts if text.get_text().startswith("decades lost"))
    return frame, head, [text.get_text() for legend in drawn.legends for text in legend.get_texts()]


def test_what_is_called_midway_is_not_the_end(vanishing: Material) -> None:
    frame, head, legend = _stages(vanishing, [0, 40, 100])
    assert dict(zip(frame["epoch"], frame["stage"], strict=True)) == {
        0: "before",
        40: "midway",
        100: "at the end",
    }
    assert "before → midway → end" in head and {"midway", "at the end"} <= set(legend)
    frame, head, legend = _stages(vanishing, [0, 100])
    assert dict(zip(frame["epoch"], frame["stage"], strict=True)) == {0: "before", 100: "at the end"}
    assert "before → end" in head and "at the end" in legend and "midway" not in legend
    assert "(at epoch 100)" in depth.caption(frame)
    frame, head, legend = _stages(vanishing, [0])
    assert set(frame["stage"]) == {"before"}
    assert "→" not in head and not {"midway", "at the end"} & set(legend)


def test_a_stage_that_only_others_have_is_a_dash(vanishing: Material) -> None:
    frame = data(vanishing, "depth")
    name = "logistic · learning_rate 1 · depth 10"
    less = frame[(frame["configuration"] != name) | (frame["stage"] != "midway")].reset_index(drop=True)
    rows = less[less["configuration"] == name].drop_duplicates("epoch")
    before, end = (f"{slope:+.2f}" for slope in rows["decades_per_layer"])
    texts = [text.get_text() for text in figure(less, "depth").texts]
    assert any(text.startswith(f"{name}: {before} → – → {end} (") for text in texts)


def test_a_zipped_step_is_named_with_what_it_travels_with(vanishing: Material) -> None:
    runs = vanishing.runs[["activation", "learning_rate"]].drop_duplicates()
    names = {f"{name} · learning_rate {rate:g}" for name, rate in runs.itertuples(index=False)}
    labels = vanishing.configurations["label"].str.rsplit(" · ", n=1).str
    assert set(labels[0]) == names
    assert set(labels[1]) == {"depth 2", "depth 5", "depth 10"}


@pytest.mark.parametrize("name, column", [("signal", "delta_rms"), ("gradient", "gradient_l2")])
def test_layer_medians(vanishing: Material, name: str, column: str) -> None:
    frame = data(vanishing, name)
    runs = vanishing.runs[(vanishing.runs["activation"] == "logistic") & (vanishing.runs["depth"] == 5)]
    records = vanishing.layers[vanishing.layers["run_id"].isin(runs["run_id"])]
    expected = records.groupby(["epoch", "layer"])[column].median()
    mine = (
        frame[frame["configuration"] == "logistic · learning_rate 1 · depth 5"]
        .set_index(["epoch", "layer"])[column]
        .sort_index()
    )
    assert_allclose(mine, expected)
    assert mine.index.get_level_values("layer").max() == 6


def test_validation_shows_every_run(clouds: Material) -> None:
    frame = data(clouds, "validation")
    assert len(frame) == len(clouds.runs)
    merged = frame.merge(clouds.runs, on="run_id")
    assert (merged["validation_accuracy"] == merged["final_validation_accuracy"]).all()
    assert frame.groupby("configuration")["validation_accuracy"].nunique().min() > 1, "splits differ by seed"


def test_records_end_at_an_experiments_own_epochs(xor: Material) -> None:
    short = dataclasses.replace(xor, runs=xor.runs.assign(target_epochs=1000))
    assert data(short, "loss")["epoch"].max() == 1000
    assert data(short, "signal")["epoch"].max() == 1000


KINDS = ("scheduled", "drawn_at_random", "xor", "many", "clouds", "exploding")


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws(name: str, request: pytest.FixtureRequest) -> None:
    materials = (request.getfixturevalue(kind) for kind in KINDS[::-1])
    _assert_drawn(next(material for material in materials if FIGURES[name].applies(material)), name, "screen")


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_draws_in_every_style(
    kind: str, name: str, style: str, request: pytest.FixtureRequest
) -> None:
    material: Material = request.getfixturevalue(kind)
    if not FIGURES[name].applies(material):
        pytest.skip("nothing to draw")
    _assert_drawn(material, name, style)


def _assert_drawn(material: Material, name: str, style: str) -> None:
    frame = data(material, name)
    before = frame.copy()
    drawn = figure(frame, name, style=style)
    assert isinstance(drawn, Figure)
    pd.testing.assert_frame_equal(frame, before)
    assert len(FIGURES[name].caption(frame)) > 40
    assert drawn.get_size_inches()[0] == pytest.approx(STYLES[style].width)
    _assert_texts_apart(drawn)


def _assert_texts_apart(drawn: Figure) -> None:
    """Titles, axis labels and legends lie within the figure and do not cover each other."""
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [text for text in drawn.texts if text.get_text()]
    texts += [
        part for ax in drawn.axes for part in (ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label)
    ]
    texts += [text for legend in drawn.legends for text in legend.get_texts()]
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in texts if t.get_text() and t.get_visible()]
    page = drawn.bbox
    for place, (words, box) in enumerate(boxes):
        assert box.x0 >= -1 and box.x1 <= page.x1 + 1, f"{words!r} leaves the figure"
        assert box.y0 >= -1 and box.y1 <= page.y1 + 1, f"{words!r} leaves the figure"
        for others, other in boxes[place + 1 :]:
            assert not box.padded(-1).overlaps(other.padded(-1)), f"{words!r} covers {others!r}"


def test_layers_beyond_the_most_panels_are_said_to_be_in_the_csv() -> None:
    frame = pd.DataFrame({"configuration": [f"c{k}" for k in range(layers.FIRST.most + 3)]})
    said = layers.FIRST.said(frame)
    assert said.startswith(" The first 24 of 27 configurations are drawn; the CSV has all of them")
    assert layers.FIRST.said(frame.head(24)) == ""
    assert layers.FIRST.of(frame) == [f"c{k}" for k in range(24)]
    pairs = pd.DataFrame({"first": [*"aaab"], "second": [*"bbcc"]})
    assert First(2, "pairs", ("first", "second")).of(pairs) == [("a", "b"), ("a", "c")]


def test_captions_of_a_sweep_of_many_factors_say_what_is_not_drawn(xor: Material) -> None:
    """Eight factors with 28 pairs: six factors, six pairs and four maps are drawn."""
    names = [f"f{k}" for k in range(8)]
    rows = [
        {"first": a, "second": b, "level": "0", "other": "0", "level_order": 0, "other_order": 0}
        for place, a in enumerate(names)
        for b in names[place + 1 :]
    ]
    known = effects.interactions(xor).iloc[[0]].drop(columns=list(rows[0]))
    frame = pd.DataFrame(rows).merge(known, how="cross")
    for name, words in (("interactions", "first 6 of 28 pairs"), ("map", "first 4 of 28 pairs")):
        assert words in FIGURES[name].caption(frame)
        figure(frame, name)
    assert "first 6 of 7 factors" in FIGURES["effects"].caption(frame)


def test_names_at_the_edge_move_apart_no_further_than_they_must() -> None:
    assert apart([], 10) == []
    assert apart([0, 50], 10) == [0, 50]
    assert apart([0, 50, 50, 50], 10) == [0, 40, 50, 60]
    assert apart([0, 2, 14], 10) == pytest.approx([-14 / 3, 16 / 3, 46 / 3])


def test_headings_are_wrapped_rather_than_cut() -> None:
    text = "log_likelihood · learning_rate 0.25"
    assert wrapped(text, 9, 10) == text
    assert wrapped(text, 9, 1.4) == "log_likelihood\nlearning_rate 0.25"


@pytest.fixture(scope="module")
def lettered(xor: Material) -> Material:
    """XOR with a third factor: a dozen panels of two losses, with letters at the plateaus of all."""
    parts = [
        dataclasses.replace(xor, runs=xor.runs.assign(run_id=xor.runs["run_id"] + 100 * k, optimizer=name))
        for k, name in enumerate(["sgd", "momentum", "adam", "rprop"])
    ]
    epochs = [xor.epochs.assign(run_id=xor.epochs["run_id"] + 100 * k) for k in range(4)]
    return dataclasses.replace(
        xor,
        runs=pd.concat([part.runs for part in parts], ignore_index=True),
        epochs=pd.concat(epochs, ignore_index=True),
        factors=("optimizer", *xor.factors),
    )


@pytest.mark.parametrize("style", ["screen", "slide", "paper"])
def test_losses_of_several_units_share_a_label_that_covers_nothing(lettered: Material, style: str) -> None:
    """Neither the letters of plateaus nor the numbers of the panel on the right are written over."""
    frame = data(lettered, "loss")
    assert frame["unit"].nunique() == 2 and frame["panel"].nunique() >= 4
    drawn = figure(frame, "loss", style=style)
    assert all(not ax.get_ylabel() for ax in drawn.axes)
    _assert_texts_apart(drawn)
    renderer = FigureCanvasAgg(drawn).get_renderer()
    letters = [text.get_window_extent(renderer) for ax in drawn.axes for text in ax.texts]
    assert letters
    words = [text for text in drawn.texts if text.get_text()]
    words += [
        tick for ax in drawn.axes for tick in ax.get_yticklabels() if tick.get_text() and tick.get_visible()
    ]
    boxes = [text.get_window_extent(renderer) for text in words]
    assert not any(one.overlaps(other) for one in letters for other in boxes)
    assert any("−log L in nats, mean or ½ Σ (y − h)², mean" in text.get_text() for text in drawn.texts)


def test_units_are_named() -> None:
    assert loss.unit("log_likelihood", "mean") == "−log L in nats, mean"
    assert loss.unit("squared", "sum").endswith("sum")


@pytest.mark.slow
def test_the_trainer_of_these_tests_learns_xor() -> None:
    material = tiny_trainer.xor(seeds=4, epochs=2000)
    solved_first = material.runs[material.runs["loss"] == "log_likelihood"]["solved_epoch"].notna().sum()
    assert solved_first >= 2


def test_a_column_of_paper_is_no_longer_than_a_page(many: Material) -> None:
    frame = data(many, "signal")
    assert frame["configuration"].nunique() == 16
    drawn = figure(frame, "signal", style="paper")
    assert drawn.get_size_inches()[1] <= 8.6
    boxes = [ax.get_position() for ax in drawn.axes]
    assert min(box.y0 for box in boxes) > 0 and min(box.height for box in boxes) * 8.6 > 0.35


@pytest.mark.parametrize("copies", [1, 6, 9])
@pytest.mark.parametrize("style, most", [("screen", 16), ("paper", 14), ("slide", 8)])
def test_a_figure_says_how_many_comparisons_it_shows(
    xor: Material, style: str, most: int, copies: int
) -> None:
    """In its legend, for the caption does not know the style."""
    one = data(xor, "paired")
    frame = pd.concat([one.assign(factor=f"{k}") for k in range(copies)], ignore_index=True)
    total = int((frame["row"] == "median").sum())
    drawn = figure(frame, "paired", style=style)
    shown = len(drawn.axes[0].get_yticks())
    assert shown == min(total, most)
    words = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert (f"the first {shown} of {total}" in words) == (shown < total)
    assert "first 16" not in paired.caption(frame)
    assert ("--where" in paired.caption(frame)) == (total > 16), "more than any style draws"
