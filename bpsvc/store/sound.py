"""What lies in the store, held against its digest: nothing goes on from what is damaged, or shows it as the
truth.
"""

import hashlib

from bpsvc.data import Dataset
from bpsvc.errors import DamagedError, DataError


def dataset(content: bytes, digest: str) -> Dataset:
    """The data of these bytes; DamagedError when they are not those with the digest."""
    try:
        found = Dataset.from_bytes(content)
    except DataError:
        found = None
    if found is None or found.digest != digest:
        raise DamagedError(
            "the stored data set is not what its digest says",
            value=digest,
            remedy="submitting the spec again stores its data anew",
        )
    return found


def state(
    run_id: int, done: int, epoch: int | None, digest: str | None, content: bytes | None
) -> bytes | None:
    """The state of a run that stands at epoch `done`: the bytes, if they are those of that epoch and digest,
    and None before the first segment.

    Raises:
        DamagedError: they are not.
    """
    if what := _flaw(done, epoch, digest, content):
        raise DamagedError(
            f"the state of run {run_id} at epoch {done} is damaged ({what})",
            remedy=f'`bpsvc rm --where "run_id = {run_id}"` and submitting again train it from the start',
        )
    return content


def _flaw(done: int, epoch: int | None, digest: str | None, content: bytes | None) -> str:
    """What is wrong with such a state; empty when nothing is."""
    if content is None:
        return "it is missing" if done else ""
    if epoch != done:
        return f"it is of epoch {epoch}"
    if hashlib.sha256(content).hexdigest() != digest:
        return "it is not what its digest says"
    return ""
