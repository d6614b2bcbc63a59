"""How much one submit may ask for, computed in Python integers before anything is allocated."""

from collections.abc import Iterable
from dataclasses import dataclass

from bpsvc.errors import Finding
from bpsvc.nn.cadence import Cadence
from bpsvc.nn.records import EPOCH_SERIES, LAYER_SERIES, PARAMETER_SERIES

# What a record is on disk, measured: a row with its key is 20 bytes, and 9 for each value.
_BYTES_AN_EPOCH = 20 + 9 * len(EPOCH_SERIES)
_BYTES_A_LAYER = 20 + 9 * len(LAYER_SERIES)
_BYTES_A_PARAMETER = 20 + 9 * len(PARAMETER_SERIES)
_LARGE = 200_000_000
_LESS = 'record less often, as in "record": {"every": "decades"}'


@dataclass(frozen=True)
class Limits:
    """`runs` of one spec, `parameters` of one run, bytes of memory that training one run takes, and
    `record_bytes` of all runs together (None: no limit).
    """

    runs: int = 100_000
    parameters: int = 10_000_000
    run_bytes: int = 4 * 2**30
    record_bytes: int | None = 2 * 2**30


@dataclass(frozen=True)
class Volume:
    """What will be recorded: `records` = recorded epochs of all runs; `rows` with those of the layers; `size`
    in bytes.
    """

    records: int = 0
    rows: int = 0
    size: int = 0

    def __add__(self, other: "Volume") -> "Volume":
        return Volume(self.records + other.records, self.rows + other.rows, self.size + other.size)


def volume(
    cadence: Cadence, epochs: int, layers: int, runs: int, parameters: int = 0, *, begun: int = 0
) -> Volume:
    """What `runs` runs of `epochs` epochs with so many layers, and so many recorded parameters, leave in the
    store, at most; without what is there of runs that have `begun` and have done so many.
    """
    records = runs * (cadence.count(begun, epochs) + (begun == 0))
    size = _BYTES_AN_EPOCH + layers * _BYTES_A_LAYER + parameters * _BYTES_A_PARAMETER
    return Volume(records, records * (1 + layers + parameters), records * size)


def too_many_runs(points: int, seeds: int, limits: Limits) -> list[Finding]:
    """The finding when points × seeds pass the limit."""
    if points * seeds <= limits.runs:
        return []
    figure = f"{points:,} points × {seeds:,} seeds" if points > 1 else f"{seeds:,} seeds"
    what = f"{points * seeds:,} runs ({figure})"
    at = ("seeds",) if points == 1 else ("sweep",)
    return [
        Finding(
            what, at, f"at most {limits.runs:,}", "fewer values or seeds, or raise the limit with --max-runs"
        )
    ]


def too_many_bytes(total: Volume, limits: Limits, path: tuple[str, ...]) -> list[Finding]:
    """The finding at `path` when the records of all runs pass the limit."""
    if limits.record_bytes is None or total.size <= limits.record_bytes:
        return []
    what = f"{total.records:,} records of all runs would take about {total.size / 2**30:,.1f} GiB"
    remedy = f"{_LESS}, or train fewer runs or epochs; --yes if it is meant"
    return [Finding(what, path, f"at most {limits.record_bytes / 2**30:g} GiB", remedy)]


def large(total: Volume, cadences: Iterable[int | str]) -> list[str]:
    """A warning when the records are many and a sparser cadence would do."""
    if total.size <= _LARGE or set(cadences) == {"decades"}:
        return []
    return [f"{total.records:,} records will take about {total.size / 1e6:,.0f} MB; to {_LESS}"]
