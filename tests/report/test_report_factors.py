"""Figures that compare configurations: pairs, survival, effects, maps, and what nets answer."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.testing import assert_allclose
from scipy import stats as scipy_stats

from bpsvc.nn import ACTIVATIONS
from bpsvc.reporting import FIGURES, Material, data, figure, summary
from bpsvc.reporting.figures import functions, paired
from bpsvc.reporting.outcomes import outcome


def test_pairs_share_their_seed(xor: Material) -> None:
    frame = data(xor, "paired")
    epochs = xor.runs.pivot(index="seed", columns=["loss", "learning_rate"], values="solved_epoch")
    pairs = frame[(frame["row"] == "pair") & (frame["factor"] == "loss")].set_index("seed")["difference"]
    ratio = epochs["squared", 1.0] / epochs["log_likelihood", 1.0]
    both = ratio.dropna()
    assert_allclose(pairs.loc[both.index], both)
    later = epochs["squared", 1.0].isna() & epochs["log_likelihood", 1.0].notna()
    assert (pairs.loc[later[later].index] == np.inf).all()


def test_medians_and_corrected_p_values_of_pairs(xor: Material) -> None:
    frame = data(xor, "paired")
    middles = frame[frame["row"] == "median"]
    assert middles["factor"].tolist() == ["loss", "learning_rate"]
    assert (middles["p_holm"] >= middles["p_value"]).all()
    for row in middles.itertuples():
        assert row.p_value == scipy_stats.binomtest(int(row.higher), int(row.higher + row.lower)).pvalue
        pairs = frame[(frame["row"] == "pair") & (frame["factor"] == row.factor)]["difference"]
        assert len(pairs) == row.pairs
        # Of an even number the median ratio is the geometric mean of the two in the middle.
        ordered = np.sort(pairs)
        middle = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        assert_allclose(row.difference, np.sqrt(middle[0] * middle[1]))
    assert "Holm" in paired.caption(frame)


def test_what_is_counted_drawn_and_corrected_is_one_family(xor: Material) -> None:
    """Of four seeds of one side nothing is told, and what is left out is counted with its reason."""
    few = (xor.runs["learning_rate"] == 4) & (xor.runs["seed"] >= 4)
    some = dataclasses.replace(xor, runs=xor.runs[~few].reset_index(drop=True))
    frame = data(some, "paired")
    middles = frame[frame["row"] == "median"]
    assert middles["factor"].tolist() == ["loss"]
    assert (middles["p_holm"] == middles["p_value"]).all(), "a family of one"
    assert frame.loc[frame["row"] == "left out", "factor"].tolist() == ["learning_rate"]
    without = "1 comparison with fewer than 5 decided pairs."
    assert f"Left out: {without}" in paired.caption(frame) and "all 1" not in paired.caption(frame)
    assert f"Left out, seed by seed: {without}" in summary(some)
    said = [text for text in summary(xor) if text.startswith("Seed by seed")]
    family = data(xor, "paired").query("row == 'median'")
    clear = (family["p_holm"] <= 0.05).sum()
    assert len(said) == min(clear, 3) + (clear < len(family))
    assert clear == len(family) or f"of {len(family)} comparisons" in said[-1]


@pytest.mark.parametrize("style", ["screen", "slide", "paper"])
def test_every_style_names_both_sides_whole(vanishing: Material, style: str) -> None:
    """What travels along with a level is named on both sides, in as many lines as that takes."""
    drawn = figure(data(vanishing, "paired").query("base.str.startswith('logistic')"), "paired", style=style)
    labels = [text.get_text().replace("\n", " ") for text in drawn.axes[0].get_yticklabels()]
    assert labels and "…" not in "".join(labels)
    for label in labels:
        level, base = label.split("against")
        assert "learning_rate" in level and "learning_rate 1" in base and "depth" in base
    assert style != "paper" or drawn.get_size_inches()[1] <= 8.6


def test_what_runs_of_a_seed_have_in_common_is_said(many: Material) -> None:
    frame = data(many, "effects")
    assert (frame["runs"] == 4 * frame["seeds"]).all()
    assert "Intervals take runs of one seed for independent" in FIGURES["effects"].caption(frame)
    cells = data(many, "map")
    assert (cells["runs"] == cells["seeds"]).all(), "a configuration each"
    assert "of one seed" not in FIGURES["map"].caption(cells)


def test_common_seeds_gain_something(xor: Material) -> None:
    frame = data(xor, "paired")
    steps = frame[(frame["row"] == "median") & (frame["factor"] == "learning_rate")]
    assert steps["correlation"].iloc[0] > 0.7, "four times the step walks the same way"


def test_without_success_pairs_compare_validation_accuracy(clouds: Material) -> None:
    frame = data(clouds, "paired")
    assert set(frame["outcome"]) == {"validation accuracy"}
    assert set(frame["ratio"]) == {0}
    table = clouds.runs.pivot(index="seed", columns="activation", values="final_validation_accuracy")
    pairs = frame[(frame["row"] == "pair") & (frame["level"] == "relu")].set_index("seed")["difference"]
    assert_allclose(pairs.sort_index(), (table["relu"] - table["tanh"]).sort_index())


def test_a_diverged_run_is_worse_than_any_loss(exploding: Material) -> None:
    unjudged = dataclasses.replace(
        exploding,
        runs=exploding.runs.assign(spec="{}"),
        experiments=exploding.experiments.assign(spec="{}"),
    )
    yardstick = outcome(unjudged)
    assert yardstick is not None and yardstick.name == "final loss"
    values = yardstick.values(unjudged.cases)
    lost = unjudged.cases["state"] == "diverged"
    assert (values[lost] == np.inf).all()
    assert np.isfinite(values[~lost]).all()


def test_losses_of_two_kinds_are_no_yardstick(xor: Material) -> None:
    unjudged = dataclasses.replace(
        xor, runs=xor.runs.assign(spec="{}"), experiments=xor.experiments.assign(spec="{}")
    )
    assert outcome(unjudged) is None
    assert not FIGURES["paired"].applies(unjudged)


def test_survival_is_scipys_with_unfinished_runs_censored(xor: Material) -> None:
    runs = xor.runs.copy()
    early = runs.index[:3]
    runs.loc[early, "status"] = "running"
    runs.loc[early, "epochs_done"] = 300
    runs.loc[early, "solved_epoch"] = np.nan
    frame = data(dataclasses.replace(xor, runs=runs), "survival")
    mine = frame[frame["configuration"] == "log_likelihood · learning_rate 1"].iloc[1:]
    here = runs[runs["loss"] == "log_likelihood"]
    last = np.where(here["status"] == "running", here["epochs_done"], here["target_epochs"])
    times = here["solved_epoch"].fillna(pd.Series(last, index=here.index)).to_numpy(float)
    theirs = scipy_stats.ecdf(
        scipy_stats.CensoredData.right_censored(times, here["solved_epoch"].isna().to_numpy())
    ).sf
    assert_allclose(mine["unsolved"], theirs.evaluate(mine["epoch"]))
    assert mine["censored"].sum() == here["solved_epoch"].isna().sum()


def test_main_effects_pool_over_the_other_factor(many: Material) -> None:
    frame = data(many, "effects").set_index(["first", "level"])
    together = "activation with learning_rate"
    assert set(frame.index.get_level_values("first")) == {together, "depth"}
    for place, name, level in (
        ((together, "tanh · 0.05"), "activation", "tanh"),
        (("depth", "3"), "depth", "3"),
    ):
        runs = many.runs[many.runs[name].astype(str) == level]
        assert frame.loc[place, "runs"] == len(runs)
        assert_allclose(frame.loc[place, "value"], runs["solved_epoch"].notna().mean())


def test_maps_have_every_combination(many: Material) -> None:
    frame = data(many, "map")
    assert len(frame) == 16
    assert frame["runs"].sum() == len(many.runs)
    cell = frame[(frame["level"] == "2") & (frame["other"] == "relu · 0.02")]
    runs = many.runs[(many.runs["activation"] == "relu") & (many.runs["depth"] == 2)]
    assert_allclose(cell["value"], runs["solved_epoch"].notna().mean())


def test_effects_need_every_combination(xor: Material) -> None:
    assert not FIGURES["effects"].applies(xor), (
        "log_likelihood was not run with step 4: loss and step are confounded"
    )


def test_the_lectures_nine_are_drawn_by_default() -> None:
    frame = functions.table()
    assert list(dict.fromkeys(frame["activation"])) == list(functions.LECTURE)
    for name, rows in frame.groupby("activation"):
        record = ACTIVATIONS[str(name)]
        z = rows["z"].to_numpy()
        away = np.abs(z[:, None] - np.array([*record.kinks, 99.0])).min(axis=1) > 0.03
        slope = np.gradient(rows["value"].to_numpy(), z)
        inner = away & (np.abs(z) < 3.9)
        assert_allclose(rows["derivative"][inner], slope[inner], atol=2e-3)


def test_the_activations_of_these_runs_are_drawn(many: Material) -> None:
    assert set(data(many, "activations")["activation"]) == {"logistic", "tanh", "relu", "leaky_relu"}


def test_confusion_adds_up(clouds: Material) -> None:
    frame = data(clouds, "confusion")
    assert clouds.confusion is not None
    assert frame["examples"].sum() == clouds.confusion["examples"].sum() == 24 * 30
    assert_allclose(frame.groupby(["configuration", "actual"])["share"].sum(), 1.0)
    right = frame[frame["actual"] == frame["predicted"]].groupby("configuration")["examples"].sum()
    mean = clouds.runs.groupby("activation")["final_validation_accuracy"].mean()
    assert_allclose(right / (8 * 30), mean.loc[right.index])


def test_surfaces_are_labelled_by_configuration_and_seed(xor: Material) -> None:
    frame = data(xor, "surface")
    assert "seed 1 · squared · learning_rate 4" in set(frame["panel"])
    assert (frame.groupby("panel")["target"].count() == 4).all()


@pytest.mark.parametrize("name", ["saturated", "dead", "weights"])
def test_layer_series_are_medians(many: Material, name: str) -> None:
    column = {"weights": "weight_l2"}.get(name, name)
    frame = data(many, name)
    runs = many.runs[(many.runs["activation"] == "relu") & (many.runs["depth"] == 3)]
    records = many.layers[many.layers["run_id"].isin(runs["run_id"])]
    expected = records.groupby(["epoch", "layer"])[column].median().dropna()
    mine = (
        frame[frame["configuration"] == "relu · learning_rate 0.02 · depth 3"]
        .set_index(["epoch", "layer"])[column]
        .sort_index()
    )
    assert_allclose(mine, expected)


@pytest.mark.parametrize("name", ["interactions", "map"])
def test_the_intervals_that_captions_promise_are_drawn(many: Material, name: str) -> None:
    frame = data(many, name)
    drawn = figure(frame, name)
    assert "Wilson 95 % intervals" in FIGURES[name].caption(frame)
    texts = [text.get_text() for ax in drawn.axes for text in ax.texts]
    first = frame.iloc[0]
    if name == "map":
        interval = f"{first['low']:.0%}".rstrip("%") + f"–{first['high']:.0%}"
        assert f"{first['value']:.0%}\n{interval}\nn = {first['runs']}" in texts
    else:
        ends = {
            (round(float(low), 9), round(float(high), 9))
            for ax in drawn.axes
            for bars in ax.collections
            for (_, low), (_, high) in bars.get_segments()
        }
        assert {(round(row.low, 9), round(row.high, 9)) for row in frame.itertuples()} == ends
        assert "n = 3 each" in drawn.axes[0].get_title(loc="left")


@pytest.fixture(scope="module")
def regression(xor: Material) -> Material:
    """XOR's nets with answers and targets stretched to −1 … 9, and one net that blew up."""
    assert xor.surface is not None
    wide = xor.surface.assign(output=10 * xor.surface["output"] - 1, target=9 * xor.surface["target"] - 0.5)
    first = wide["run_id"].eq(wide["run_id"].iloc[0]) & wide["output"].notna()
    return dataclasses.replace(xor, surface=wide.assign(output=wide["output"].mask(first, 1e200)))


@pytest.mark.parametrize("style", ["screen", "slide", "paper"])
def test_a_surface_of_real_targets_has_their_scale_and_no_line(regression: Material, style: str) -> None:
    frame = data(regression, "surface")
    drawn = figure(frame, "surface", style=style)
    *panels, bar = drawn.axes
    assert bar.get_xlabel() == "output h(x)"
    scales = {image.get_clim() for ax in panels for image in (*ax.images, *ax.collections)}
    ((low, high),) = scales
    assert low == pytest.approx(min(-0.5, frame["output"].min()))
    assert high == pytest.approx(8.5 + 9), "the targets, and as much again for the one that blew up"
    kinds = {type(part).__name__ for ax in panels for part in ax.collections}
    assert kinds == {"PathCollection"}, "points, and no contour"
    caption = FIGURES["surface"].caption(frame)
    assert "½" not in caption and "one scale of colours for all nets" in caption


def test_a_surface_between_0_and_1_has_the_line_of_its_decision(xor: Material) -> None:
    frame = data(xor, "surface")
    drawn = figure(frame, "surface")
    *panels, bar = drawn.axes
    assert bar.get_xlabel() == "output h(x); line: h = ½"
    assert {image.get_clim() for ax in panels for image in ax.images} == {(0, 1)}
    assert any(type(part).__name__ == "QuadContourSet" for ax in panels for part in ax.collections)
    assert "changes its mind (h = ½)" in FIGURES["surface"].caption(frame)


OPTIMIZERS = (*("sgd", "momentum(mu=0.9)", "momentum(mu=0.5)", "adam"), *("rprop", "nesterov", "quickprop"))


@pytest.fixture(scope="module")
def optimizers(many: Material) -> Material:
    """Two activations with seven optimizers in every combination."""
    some = many.runs[many.runs["activation"].isin(["tanh", "relu"]) & many.runs["depth"].eq(2)]
    runs = [
        some.assign(optimizer=name, run_id=some["run_id"] + 1000 * k) for k, name in enumerate(OPTIMIZERS)
    ]
    return dataclasses.replace(
        many, runs=pd.concat(runs, ignore_index=True), factors=("activation", "optimizer")
    )


@pytest.mark.parametrize("style", ["screen", "slide", "paper"])
@pytest.mark.parametrize("name", ["effects", "interactions", "map"])
def test_every_level_of_text_has_its_whole_name(optimizers: Material, name: str, style: str) -> None:
    """Between two words nothing can be interpolated."""
    drawn = figure(data(optimizers, name), name, style=style)
    FigureCanvasAgg(drawn).draw()
    renderer = FigureCanvasAgg(drawn).get_renderer()
    ticks = [tick for ax in drawn.axes for tick in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    told = {tick.get_text().split("\n")[0].split(" · ")[0] for tick in ticks}
    assert set(OPTIMIZERS) <= told
    boxes = [tick.get_window_extent(renderer) for tick in ticks if tick.get_text()]
    assert all(box.y0 >= 0 and box.x0 >= 0 for box in boxes)
    for place, box in enumerate(boxes):
        assert not any(box.padded(-1).overlaps(other.padded(-1)) for other in boxes[place + 1 :])


def test_levels_of_numbers_are_thinned_where_they_would_touch(many: Material) -> None:
    runs = [
        many.runs.assign(learning_rate=0.123456 * k, run_id=many.runs["run_id"] + 1000 * k)
        for k in range(1, 21)
    ]
    dense = dataclasses.replace(
        many, runs=pd.concat(runs, ignore_index=True), factors=("learning_rate", "depth")
    )
    drawn = figure(data(dense, "effects"), "effects", style="paper")
    (ax,) = (ax for ax in drawn.axes if ax.get_title(loc="left") == "learning_rate")
    assert 2 <= len(ax.get_xticklabels()) < 20
    assert {tick.get_rotation() for tick in ax.get_xticklabels()} == {0}


def test_what_was_drawn_at_random_is_a_scatter_against_each_axis(drawn_at_random: Material) -> None:
    frame = data(drawn_at_random, "scatter")
    assert frame.groupby("first")["level"].nunique().to_dict() == {"learning_rate": 30, "range": 30}
    assert (frame["runs"] == 5).all()
    rates, spans = figure(frame, "scatter").axes
    assert (rates.get_xscale(), spans.get_xscale()) == ("log", "linear")
    for ax, name in ((rates, "learning_rate"), (spans, "range")):
        x, y = ax.lines[0].get_data()
        held = drawn_at_random.cases.groupby(name)["held"].mean()
        assert_allclose(np.sort(x), held.index, rtol=1e-5)
        assert_allclose(np.asarray(y)[np.argsort(x)], held)


def test_without_random_axes_there_is_no_scatter(many: Material) -> None:
    assert not FIGURES["scatter"].applies(many)


@pytest.mark.parametrize("name", ["loss", "solved", "survival", "likelihood"])
def test_curves_of_very_many_series_are_the_first_ones(
    drawn_at_random: Material, many: Material, name: str
) -> None:
    """A legend of thirty names and colours tells nothing apart."""
    frame = data(drawn_at_random, name)
    names = [text.get_text() for legend in figure(frame, name).legends for text in legend.get_texts()]
    assert len([text for text in names if text.startswith("learning_rate")]) == 7
    assert "The first 7 of 30 series are drawn" in FIGURES[name].caption(frame)
    assert frame["configuration"].nunique() == 30, "the CSV has all"
    assert "are drawn" not in FIGURES[name].caption(data(many, name))
