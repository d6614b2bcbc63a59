"""What makes two runs the same: canonical JSON, and the sha256 of it with seed, data and numerics."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; equal numbers are written alike (1 as 1.0 where both are numbers,
    no −0).
    """
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def digest_of(*parts: Any) -> str:
    """sha256 (hex) of the canonical JSON of `parts`."""
    return hashlib.sha256(canonical_json(list(parts)).encode()).hexdigest()


def run_key(identity: str, seed: int, data: str, numerics: int) -> str:
    """A run's key (64 hex digits): the run spec's identity, seed, digest of the data, version of the
    numerics.

    Not in it: name, description, path of the data, epochs. More epochs later extend the same run.
    """
    return hashlib.sha256(f"bpsvc run\n{identity}\n{seed}\n{data}\n{numerics}".encode()).hexdigest()


def numerics_of(key: str, identity: str, seed: int, data: str, newest: int) -> int | None:
    """The version of the numerics, `newest` or older, with which a run has this key; None: there is none."""
    versions = range(newest, 0, -1)
    return next((one for one in versions if run_key(identity, seed, data, one) == key), None)
