"""A traced step as text, in columns like the lecture's."""

from collections.abc import Callable, Sequence
from typing import Final

from bpsvc.service.tracing import Traced
from bpsvc.wording import plural

EXAMPLES: Final = 8  # beyond so many the rest is counted


def lines(traced: Traced, spelled: Callable[[str], str] = str) -> list[str]:
    """The step as text; `spelled` gives a heading as it is printed, which may be wider."""
    likelihood = traced.loss == "log_likelihood"
    of = "log L" if likelihood else f"−{traced.loss}"
    rate = "–" if traced.learning_rate is None else f"{traced.learning_rate:g}"
    path = ", ".join(map(str, traced.path))
    formula = _pull_formula(traced)
    return [
        f"{traced.what}, after {plural(traced.epoch, 'epoch')}: {of} over {plural(traced.count, 'example')}, "
        f"{traced.reduction}; {traced.optimizer}, ε = {rate}",
        *([f"Shown of each layer: unit {path} (--path names others)."] if path else []),
        "",
        "Forward: each example through the network; every h is kept for the way back."
        + " The inputs are scaled, as the network gets them." * traced.scaled,
        *(
            []
            if formula
            else [f"pull: ∂({of})/∂h of an output; δ: ∂({of})/∂z of a unit, from the output back."]
        ),
        *_example_table(traced, spelled),
        "",
        f"Backward: what each example adds to ∂({of})/∂w_sd = Σ δ_d h_s (s = 0: the bias, h_0 = 1), "
        "then the step.",
        *(f"{name}: Σ ∂({of})/∂h ∂h/∂{name} over the units of its layer." for name in traced.knobs),
        *_weight_table(traced),
        "",
        f"loss {traced.mean_loss:.6g}",
        *(f"note: {note}" for note in traced.notes),
    ]


def _example_table(traced: Traced, spelled: Callable[[str], str]) -> list[str]:
    shown = traced.examples[:EXAMPLES]
    pull = _pull_formula(traced)
    header = ["i", *shown[0].inputs, *shown[0].units, *shown[0].targets]
    header += [*(pull or name for name in shown[0].pull), *(f"δ({name})" for name in shown[0].signals)]
    rows = []
    for i, one in enumerate(shown, 1):
        seen = (one.inputs, one.units, one.targets, one.pull, one.signals)
        rows.append([str(i), *(_short(value) for part in seen for value in part.values())])
    left = len(traced.examples) - len(shown)
    return _columns([*map(spelled, header)], rows) + ([f"… and {left} more examples"] if left else [])


def _pull_formula(traced: Traced) -> str:
    """The lecture's, for its one logistic output."""
    lecture = (traced.loss, traced.output, len(traced.examples[0].pull)) == ("log_likelihood", "logistic", 1)
    return "y/h−(1−y)/(1−h)" if lecture else ""


def _weight_table(traced: Traced) -> list[str]:
    count = min(EXAMPLES, traced.count)
    header = [
        "layer",
        "w_sd",
        *(f"i={i}" for i in range(1, count + 1)),
        *(["…"] if traced.count > count else []),
    ]
    header += ["sum", traced.reduction, "old", "new"]
    rows = []
    for one in traced.weights:
        terms = [_short(term) for term in one.terms[:count]] + (["…"] if traced.count > count else [])
        rows.append(
            [
                str(one.layer),
                one.name,
                *terms,
                _short(one.total),
                _short(one.used),
                _short(one.old),
                _short(one.new),
            ]
        )
    return _columns(header, rows)


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in (header, *rows)
    ]


def _short(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value + 0.0:.5f}".rstrip("0").rstrip(".")  # + 0.0: no −0
    return f"{value:.3e}"
