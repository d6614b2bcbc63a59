"""Look at what is stored: the parameters of a run by name."""

from collections.abc import Sequence
from typing import Any

from bpsvc import nn
from bpsvc.service.networks import Trained

Rows = tuple[Sequence[str], Sequence[Sequence[Any]]]


def weight_rows(trained: Trained) -> Rows:
    """Every parameter by the lecture's name, such as w13: from source 1 to unit 3."""
    values = zip(nn.parameters(trained.network), trained.theta.tolist(), strict=True)
    return ("layer", "source", "unit", "name", "value"), [(*parameter, value) for parameter, value in values]
