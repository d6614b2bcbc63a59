"""Checkpoints: every array to the bit, and one form of NaN."""

import numpy as np
import pytest

from bpsvc import nn
from bpsvc.errors import StoreError
from bpsvc.nn.state import new_ledger
from bpsvc.work import checkpoint


def state(epoch: int = 7) -> nn.State:
    theta = np.array([[1.0, -0.0, 5e-324], [np.pi, np.inf, 1e308]])
    return nn.State(epoch, theta, {"m": -theta}, new_ledger(2), theta + 1)


def test_what_was_packed_comes_back() -> None:
    packed = checkpoint.pack(state())
    back = checkpoint.unpack(packed)
    assert back.epoch == 7
    for name, values in state().arrays().items():
        assert back.arrays()[name].dtype == values.dtype
        assert back.arrays()[name].tobytes() == values.tobytes(), name
    assert checkpoint.pack(back) == packed
    assert checkpoint.pack(back.take([1])) == packed[1:]


def test_a_run_that_has_ended_says_when() -> None:
    ended = state()
    ended.ended_epoch[1] = 3
    packed = checkpoint.pack(ended)
    assert [checkpoint.unpack([one]).epoch for one in packed] == [7, 3]
    with pytest.raises(StoreError, match="differ"):
        checkpoint.unpack(packed)


def test_nan_has_one_form() -> None:
    """Vectors and what is left over of them give NaN of different signs."""
    forms = []
    for bits in (0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000001):
        one = state()
        one.theta[0, 0] = np.array([bits], dtype=np.uint64).view(np.float64)[0]
        forms.append(checkpoint.digest(checkpoint.pack(one)[0]))
    assert len(set(forms)) == 1


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"x" + b, lambda b: b""])
def test_damage_is_told(damage: object) -> None:
    packed = checkpoint.pack(state())
    assert callable(damage)
    with pytest.raises(StoreError, match="verify"):
        checkpoint.unpack([damage(packed[0])])
