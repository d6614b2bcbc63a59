"""A run's state as bytes: what a segment commits and what the next one starts from.

The form is a JSON header (epoch; name, type and shape of each array) and the raw little-endian arrays:
readable for ever, by any program, and never pickle. Draws are functions of seed and epoch, so no generator
state is needed.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bpsvc import nn
from bpsvc.errors import StoreError

_MAGIC: Final = b"bpsvc\x01"


def pack(state: nn.State) -> list[bytes]:
    """One checkpoint for each of the R runs of a stack. A run that has ended carries the epoch at which it
    did.
    """
    arrays = {name: _little(array) for name, array in state.arrays().items()}
    columns = [(name, array.dtype.str, array.shape[1:]) for name, array in arrays.items()]
    raw = [array.reshape(state.runs, -1).view(np.uint8) for array in arrays.values()]
    epochs = np.where(state.ended_epoch >= 0, state.ended_epoch, state.epoch).tolist()
    headers = {epoch: _header(epoch, columns) for epoch in set(epochs)}
    rows = np.concatenate(raw, axis=1)
    return [headers[epoch] + row.tobytes() for epoch, row in zip(epochs, rows, strict=True)]


def unpack(checkpoints: Sequence[bytes]) -> nn.State:
    """The stacked state of R checkpoints, which must be of one shape and one epoch."""
    prefix = _prefix(checkpoints[0])
    if any(not checkpoint.startswith(prefix) for checkpoint in checkpoints):
        raise StoreError("the checkpoints of a stack differ in shape or epoch", remedy="run `bpsvc verify`")
    header = json.loads(prefix[len(_MAGIC) + 4 :])
    arrays, at = {}, len(prefix)
    for name, dtype, shape in header["arrays"]:
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        raw = b"".join(checkpoint[at : at + size] for checkpoint in checkpoints)
        if len(raw) != size * len(checkpoints):
            raise StoreError("a checkpoint is cut short", remedy="run `bpsvc verify`")
        arrays[name] = np.frombuffer(raw, dtype=dtype).reshape(len(checkpoints), *shape).copy()
        at += size
    return nn.State.of(header["epoch"], arrays)


def digest(checkpoint: bytes) -> str:
    """What a segment row says of the state at its end: equal digests, equal bits."""
    return hashlib.sha256(checkpoint).hexdigest()


def _little(array: NDArray[Any]) -> NDArray[Any]:
    """The array as it is written. NaN has many forms, and which one a diverged run ends on depends on its
    companions (on its place in a vector): so only one is written.
    """
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if plain.dtype.kind == "f" and np.isnan(plain).any():
        plain = np.where(np.isnan(plain), np.nan, plain).astype(plain.dtype)
    return plain


def _header(epoch: int, columns: Sequence[tuple[str, str, tuple[int, ...]]]) -> bytes:
    header = json.dumps({"epoch": epoch, "arrays": columns}).encode()
    return _MAGIC + len(header).to_bytes(4, "little") + header


def _prefix(checkpoint: bytes) -> bytes:
    if not checkpoint.startswith(_MAGIC):
        raise StoreError("a checkpoint is not one of bpsvc's", remedy="run `bpsvc verify`")
    start = len(_MAGIC) + 4
    return checkpoint[: start + int.from_bytes(checkpoint[len(_MAGIC) : start], "little")]
