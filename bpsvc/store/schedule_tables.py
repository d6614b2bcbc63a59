"""The tables of schedules, as declared: what is planned, and what was decided at each instant."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import Integer, Text

from bpsvc.store.declaring import key, needed, table, within

# `document` is the spec's text as it was when the schedule was added; `cursor` the last instant decided.
schedule = table(
    "_schedule",
    needed("id"),
    needed("name", Text),
    needed("cron", Text),
    needed("timezone", Text),
    needed("fresh", Text),
    needed("missed", Text),
    needed("overlap", Text),
    needed("document", Text),
    needed("source", Text),
    needed("folder", Text),
    needed("anywhere"),
    Column("report", Text),
    needed("blocks", Integer, "0"),
    needed("cursor", Text),
    Column("paused_at", Text),
    needed("created_at", Text),
    key("schedule", "id"),
    UniqueConstraint("name", name="uq_schedule_name"),
    CheckConstraint("fresh IN ('data', 'seeds', 'none')", name="ck_schedule_fresh"),
    CheckConstraint("missed IN ('latest', 'all', 'skip')", name="ck_schedule_missed"),
    CheckConstraint("overlap IN ('skip', 'allow')", name="ck_schedule_overlap"),
    CheckConstraint("json_valid(document)", name="ck_schedule_document"),
    autoincrement=True,
)

# The files of a schedule that does not read them again, as parsed when it was added.
schedule_data = table(
    "_schedule_data",
    needed("schedule_id"),
    needed("origin", Text),
    needed("content", LargeBinary),
    key("schedule_data", "schedule_id", "origin"),
    within("schedule_data", "schedule_id", "_schedule"),
)

occurrence = table(
    "_occurrence",
    needed("schedule_id"),
    needed("instant", Text),
    needed("planned"),
    needed("decision", Text),
    Column("why", Text),
    Column("experiment_id", Integer),
    Column("new_runs", Integer),
    needed("decided_at", Text),
    Column("ended_at", Text),
    Column("met", Integer),
    Column("report", Text),
    Column("reported_at", Text),
    key("occurrence", "schedule_id", "instant"),
    CheckConstraint(
        "decision IN ('submitted', 'skipped_misfire', 'skipped_overlap', 'rejected')",
        name="ck_occurrence_decision",
    ),
    CheckConstraint("(decision = 'submitted') = (why IS NULL)", name="ck_occurrence_why"),
    CheckConstraint("decision = 'submitted' OR ended_at IS NULL", name="ck_occurrence_ended"),
    within("occurrence", "schedule_id", "_schedule"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["_experiment.id"],
        name="fk_occurrence_experiment_id",
        ondelete="SET NULL",
    ),
    rowid=False,
)
Index("ix_occurrence_experiment", occurrence.c.experiment_id)
Index(
    "ix_occurrence_open",
    occurrence.c.schedule_id,
    sqlite_where=text("decision = 'submitted' AND reported_at IS NULL"),
)
