"""How messages are put together: numbers with their nouns, and parts of an error as one sentence."""

import pytest

from bpsvc.errors import BpsvcError
from bpsvc.wording import decimal, plural


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (1_000, "1,000 runs"), (-1, "-1 runs")]
)
def test_a_number_and_its_noun(count: int, text: str) -> None:
    assert plural(count, "run") == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.50"), (-0.126, "−0.13"), (-0.004, "0.00"), (-0.0, "0.00"), (1e3, "1000.00")]
)
def test_a_decimal_has_a_minus_and_no_negative_zero(value: float, text: str) -> None:
    assert decimal(value) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (BpsvcError("no run"), "no run"),
        (BpsvcError("no run.", remedy="make one"), "no run; make one"),
        (BpsvcError("which run?", allowed="1 to 9"), "which run? allowed: 1 to 9"),
        (BpsvcError("not within ..", remedy="move it"), "not within ..; move it"),
        (BpsvcError("no age", value="x", allowed="12h", remedy="or none"),
         "no age (given: 'x'); allowed: 12h; or none"),
        (BpsvcError("no age", value=""), "no age (given: '')"),
        (BpsvcError("delete it?", remedy="say --yes."), "delete it? say --yes."),
    ],
)  # fmt: skip
def test_the_parts_of_an_error_are_one_sentence(error: BpsvcError, text: str) -> None:
    assert str(error) == text
