"""The results database: experiments, runs and their records; the queue; users' SQL. The only room that speaks
SQLAlchemy.
"""

from bpsvc.store.catalog import PUBLIC, PublicColumn, Relation
from bpsvc.store.naming import Named
from bpsvc.store.owners import current as owner
from bpsvc.store.progress import Holder
from bpsvc.store.query import Answer
from bpsvc.store.reading import Snapshot
from bpsvc.store.records import Claim, Progress, Receipt, RunCommit, Segment
from bpsvc.store.schedule_records import Plan, Schedule, Step, Submission, Submitted
from bpsvc.store.store import LEASE_S, Store

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
    "RunCommit",
    "Schedule",
    "Segment",
    "Snapshot",
    "Step",
    "Store",
    "Submission",
    "Submitted",
    "owner",
]
