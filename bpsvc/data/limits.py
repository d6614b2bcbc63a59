"""How much data there may be, checked with plain integers before anything is allocated."""

from typing import Any, Final

from numpy.typing import NDArray

from bpsvc.errors import DataError

PARSED_BYTES: Final = 256 * 2**20
"""Limit of the parsed arrays of one data set (float64), encoded targets included."""

EXACT: Final = 2**53
"""Whole numbers up to it are float64 numbers; of those beyond it some are not."""

CLASSES: Final = 1_000
"""Limit of the classes of one target: beyond it a text column is an identifier, not a class."""


def check_size(
    examples: int, columns: int, what: str, *, remedy: str = "use fewer examples or columns"
) -> None:
    """DataError when `examples` × `columns` numbers of 8 bytes pass the limit; `what` begins the sentence."""
    size = examples * columns * 8
    if size > PARSED_BYTES:
        raise DataError(
            f"{what} would take {examples:,} × {columns:,} numbers, {size / 2**20:,.0f} MiB",
            allowed=f"at most {PARSED_BYTES // 2**20} MiB",
            remedy=remedy,
        )


def check_exact(values: NDArray[Any], what: str) -> None:
    """DataError for whole numbers that float64 would round; `what` begins the sentence."""
    if values.dtype.kind in "iu" and bool(((values > EXACT) | (values < -EXACT)).any()):
        raise DataError(f"{what} holds integers that float64 cannot hold", allowed="-2**53 to 2**53")
