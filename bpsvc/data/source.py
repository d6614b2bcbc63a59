"""What a data generator is: a record with a name, knobs, and a function from the knobs' values to a data
set.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpsvc.data.dataset import Dataset
from bpsvc.errors import DataError
from bpsvc.registry import Knob, did_you_mean

MOST_EXAMPLES = 1_000_000
MOST_INPUTS = 1_000


@dataclass(frozen=True)
class Source:
    """A generator of the table `SOURCES`. `build` takes every knob by its name; users of the record call
    `make`.

    `truth_table`: the examples are all cases of a Boolean function, so accuracy 1 is what success means.
    """

    name: str
    doc: str
    build: Callable[..., Dataset]
    knobs: tuple[Knob, ...] = ()
    truth_table: bool = False
    also_called: tuple[str, ...] = ()

    def make(self, knobs: Mapping[str, Any] | None = None) -> Dataset:
        """The data for these knobs, defaults filled in. DataError for an unknown knob or a value out of
        bounds.
        """
        given = dict(knobs or {})
        values = {knob.name: self._value(knob, given) for knob in self.knobs}
        if given.keys() - values.keys():
            name = sorted(given.keys() - values.keys())[0]
            raise DataError(
                f"the data source {self.name!r} has no knob {name!r}",
                allowed=", ".join(values) or "none",
                remedy=did_you_mean(name, values),
            )
        return self.build(**values)

    def _value(self, knob: Knob, given: Mapping[str, Any]) -> Any:
        if knob.required and knob.name not in given:
            raise DataError(f"the data source {self.name!r} needs {knob.name!r}", allowed=knob.bounds())
        value = given.get(knob.name, knob.default)
        if not _fits(knob, value):
            raise DataError(f"data source {self.name!r}: {knob.name}", value=value, allowed=knob.bounds())
        return float(value) if knob.kind is float else value


def _fits(knob: Knob, value: Any) -> bool:
    if knob.kind is str:
        return isinstance(value, str) and (not knob.choices or value in knob.choices)
    types = (int,) if knob.kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, types) or not math.isfinite(value):
        return False
    low = knob.low is None or value > knob.low or (value == knob.low and not knob.low_open)
    high = knob.high is None or value < knob.high or (value == knob.high and not knob.high_open)
    return low and high


def examples_knob(default: int, least: int = 2) -> Knob:
    """The knob `examples` (N) that most generators have."""
    return Knob("examples", default, "number of examples", int, low=least, high=MOST_EXAMPLES)


def noise_knob(
    default: float, doc: str = "standard deviation of the noise added to every coordinate"
) -> Knob:
    """The knob `noise`."""
    return Knob("noise", default, doc, low=0.0, high=1e6)


SEED_KNOB = Knob("seed", 0, "what is random about the data follows from it", int, low=0, high=2**63 - 1)
