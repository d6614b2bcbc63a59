"""Say what a wish makes of a report: in words, in numbers, and as SQL that anybody can run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bpsvc.reporting import Material, Part
from bpsvc.service.selecting import ALL, NEWEST_FIRST, Filter
from bpsvc.store import PUBLIC
from bpsvc.wording import plural


@dataclass(frozen=True)
class Wish:
    """What a report is to be about, besides its experiments: only the runs that a filter lets through, told
    apart only `by` some swept paths (or their labels), judged by another criterion of `success`.
    """

    which: Filter = ALL
    by: tuple[str, ...] = ()
    success: str | None = None


EVERYTHING: Final = Wish()


def part(wish: Wish, about: Material, labels: Sequence[str]) -> Part:
    """The part that `about` is of what there is; `labels` are those of all that its experiments sweep."""
    which, limit = wish.which, wish.which.limit
    total = int(about.experiments["runs"].sum())
    order = which.sort or NEWEST_FIRST
    words, sentences = [], []
    if which.where is not None:
        words.append(f"where {_line(which.where)}")
    if limit is not None:
        words.append(f"first {limit} by {_line(order)}")
    if words:
        sentences.append(f"Only some runs, {', '.join(words)}: {len(about.runs)} of {plural(total, 'run')}.")
    if wish.by:
        words.append(f"by {', '.join(wish.by)}")
        pooled = [label for label in labels if label not in about.factors]
        over = f" alone: runs that differ in {', '.join(pooled)} are pooled" if pooled else ""
        sentences.append(f"Runs are told apart by {', '.join(about.factors)}{over}.")
    if wish.success is not None:
        words.append(f"solved {_line(wish.success)}")
    asked = {
        "where": which.where,
        "sort": None if limit is None else order,
        "limit": limit,
        "by": list(wish.by) or None,
        "success": wish.success,
    }
    return Part(
        words=tuple(words),
        sentences=tuple(sentences),
        sql="" if which.is_open else _condition(about.names, which, labels),
        asked={name: value for name, value in asked.items() if value is not None},
    )


def _condition(experiments: Sequence[str], which: Filter, labels: Sequence[str]) -> str:
    """The filter as SQL over the public views, where `runs` means what it means to the filter."""
    asked = f"{which.where} {which.sort}".lower()
    names = ", ".join(_text(name) for name in experiments)
    columns = ", ".join(["experiment", "run_id", *_columns(asked, labels)])
    where = f" WHERE ({which.where}\n    )" if which.where else ""
    limit = (
        "" if which.limit is None else f"\n    ORDER BY {which.sort or NEWEST_FIRST}\n    LIMIT {which.limit}"
    )
    return f"""(experiment, run_id) IN (
    WITH runs AS (SELECT {columns} FROM results r WHERE experiment IN ({names}))
    SELECT experiment, run_id FROM runs{where}{limit}
)"""


def _columns(asked: str, labels: Sequence[str]) -> Iterator[str]:
    """The columns that a filter may mean: a factor's value stands before what `results` calls alike."""
    known = PUBLIC["results"].names
    for name in dict.fromkeys([*known, *labels]):
        if name.lower() not in asked or name in ("experiment", "run_id"):
            continue
        if name not in labels:
            yield name
            continue
        of_run = "f.experiment = r.experiment AND f.run_id = r.run_id"
        value = f"(SELECT f.value FROM factors f WHERE {of_run} AND f.label = {_text(name)})"
        quoted = '"' + name.replace('"', '""') + '"'
        yield f"coalesce({value}, {name}) AS {quoted}" if name in known else f"{value} AS {quoted}"


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _line(text: str) -> str:
    return " ".join(text.split())
