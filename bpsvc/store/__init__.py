"""The results database: experiments, runs and their records; the queue; users' SQL. The only room that speaks
SQLAlchemy.

Each name is loaded when it is first used: to read a spec or show a plan takes no database.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` finds at run time
    from bpsvc.store.catalog import PUBLIC, PublicColumn, Relation
    from bpsvc.store.leases import LEASE_S
    from bpsvc.store.naming import Named
    from bpsvc.store.owners import current as owner
    from bpsvc.store.progress import Holder
    from bpsvc.store.query import Answer, Table
    from bpsvc.store.reading import Snapshot
    from bpsvc.store.records import Claim, Progress, Receipt, RunCommit, Segment
    from bpsvc.store.removing import Removal
    from bpsvc.store.schedule_records import Plan, Schedule, Step, Submission, Submitted
    from bpsvc.store.store import Store

_HOMES = {
    **dict.fromkeys(("PUBLIC", "PublicColumn", "Relation"), "catalog"),
    "LEASE_S": "leases",
    "Named": "naming",
    "Holder": "progress",
    **dict.fromkeys(("Answer", "Table"), "query"),
    "Snapshot": "reading",
    **dict.fromkeys(("Claim", "Progress", "Receipt", "RunCommit", "Segment"), "records"),
    "Removal": "removing",
    **dict.fromkeys(("Plan", "Schedule", "Step", "Submission", "Submitted"), "schedule_records"),
    "Store": "store",
}

__all__ = [
    "LEASE_S",
    "PUBLIC",
    "Answer",
    "Claim",
    "Holder",
    "Named",
    "Plan",
    "Progress",
    "PublicColumn",
    "Receipt",
    "Relation",
    "Removal",
    "RunCommit",
    "Schedule",
    "Segment",
    "Snapshot",
    "Step",
    "Store",
    "Submission",
    "Submitted",
    "Table",
    "owner",
]


def __getattr__(name: str) -> Any:
    if name == "owner":
        return importlib.import_module("bpsvc.store.owners").current
    if name not in _HOMES:
        raise AttributeError(f"module 'bpsvc.store' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bpsvc.store.{_HOMES[name]}"), name)
