"""Schedules, and what was decided at each of their instants.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE _schedule (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        cron TEXT NOT NULL,
        timezone TEXT NOT NULL,
        fresh TEXT NOT NULL,
        missed TEXT NOT NULL,
        overlap TEXT NOT NULL,
        document TEXT NOT NULL,
        source TEXT NOT NULL,
        folder TEXT NOT NULL,
        anywhere INTEGER NOT NULL,
        report TEXT,
        blocks INTEGER DEFAULT 0 NOT NULL,
        cursor TEXT NOT NULL,
        paused_at TEXT,
        created_at TEXT NOT NULL,
        CONSTRAINT uq_schedule_name UNIQUE (name),
        CONSTRAINT ck_schedule_fresh CHECK (fresh IN ('data', 'seeds', 'none')),
        CONSTRAINT ck_schedule_missed CHECK (missed IN ('latest', 'all', 'skip')),
        CONSTRAINT ck_schedule_overlap CHECK (overlap IN ('skip', 'allow')),
        CONSTRAINT ck_schedule_document CHECK (json_valid(document))
    ) STRICT
    """,
    """
    CREATE TABLE _schedule_data (
        schedule_id INTEGER NOT NULL,
        origin TEXT NOT NULL,
        content BLOB NOT NULL,
        CONSTRAINT pk_schedule_data PRIMARY KEY (schedule_id, origin),
        CONSTRAINT fk_schedule_data_schedule_id FOREIGN KEY(schedule_id)
            REFERENCES _schedule (id) ON DELETE CASCADE
    ) STRICT
    """,
    """
    CREATE TABLE _occurrence (
        schedule_id INTEGER NOT NULL,
        instant TEXT NOT NULL,
        planned INTEGER NOT NULL,
        decision TEXT NOT NULL,
        why TEXT,
        experiment_id INTEGER,
        new_runs INTEGER,
        decided_at TEXT NOT NULL,
        ended_at TEXT,
        met INTEGER,
        report TEXT,
        reported_at TEXT,
        CONSTRAINT pk_occurrence PRIMARY KEY (schedule_id, instant),
        CONSTRAINT ck_occurrence_decision CHECK (
            decision IN ('submitted', 'skipped_misfire', 'skipped_overlap', 'rejected')
        ),
        CONSTRAINT ck_occurrence_why CHECK ((decision = 'submitted') = (why IS NULL)),
        CONSTRAINT ck_occurrence_ended CHECK (decision = 'submitted' OR ended_at IS NULL),
        CONSTRAINT fk_occurrence_schedule_id FOREIGN KEY(schedule_id)
            REFERENCES _schedule (id) ON DELETE CASCADE,
        CONSTRAINT fk_occurrence_experiment_id FOREIGN KEY(experiment_id)
            REFERENCES _experiment (id) ON DELETE SET NULL
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE INDEX ix_occurrence_experiment ON _occurrence (experiment_id)
    """,
    """
    CREATE INDEX ix_occurrence_open ON _occurrence (schedule_id)
    WHERE decision = 'submitted' AND reported_at IS NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
