"""The section `record`: what is kept of a run."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from bpsvc.nn.records import EPOCH_SERIES, EXTRA_EPOCH_SERIES, EXTRA_LAYER_SERIES, LAYER_SERIES
from bpsvc.registry import did_you_mean
from bpsvc.spec.base import MAX_EPOCHS, Checked, Frozen, complain, complain_at
from bpsvc.spec.choices import kind


def _every(value: Any) -> Any:
    if value == "decades" or (type(value) is int and 1 <= value <= MAX_EPOCHS):
        return value
    if isinstance(value, str):
        raise complain(
            f"there is no cadence {value!r}", allowed='"decades", or a number of epochs, 1 or more'
        )
    given = f"{value}" if isinstance(value, (int, float)) and not isinstance(value, bool) else kind(value)
    raise complain(f"this is {given}", allowed='a whole number of epochs, 1 or more, or "decades"')


Every = Annotated[
    int | Literal["decades"],
    Checked(_every, lambda: Annotated[int, Field(ge=1)] | Literal["decades"]),
]


MAX_RECORDED_PARAMETERS: Final = 200
EXTRA_SERIES: Final = (*EXTRA_EPOCH_SERIES, *EXTRA_LAYER_SERIES)
_ALWAYS: Final = frozenset((*EPOCH_SERIES, *LAYER_SERIES))


def _series(value: Any) -> tuple[str, ...]:
    """Names of extra series, each once, in the engine's order: the order given has no effect."""
    if not isinstance(value, (list, tuple)):
        raise complain(f"this is {kind(value)}", allowed=f"a list of {', '.join(EXTRA_SERIES)}")
    for index, name in enumerate(value):
        if name in EXTRA_SERIES and name not in value[:index]:
            continue
        what = f"{name} appears twice" if name in EXTRA_SERIES else f"there is no extra series {name!r}"
        remedy = did_you_mean(str(name), EXTRA_SERIES)
        if isinstance(name, str) and name in _ALWAYS:
            what, remedy = f"{name} is always recorded", "leave it out"
        raise complain_at((index,), complain(what, allowed=", ".join(EXTRA_SERIES), remedy=remedy), name)
    return tuple(name for name in EXTRA_SERIES if name in value)


class Record(Frozen):
    """What is kept of a run."""

    every: Every = 1
    """Epochs between records; "decades": every epoch to 100, every 10th to 1,000, every 100th to 10,000 …"""
    series: Annotated[tuple[str, ...], Checked(_series, lambda: list[Literal[EXTRA_SERIES]])] = ()
    """What is measured besides the series that always are; `sharpness` costs many gradients a record."""
    parameters: bool = False
    """Whether every parameter and its gradient are kept too; for networks of at most 200 parameters."""
