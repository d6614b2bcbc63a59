"""The tables as declared: what a new store is made of, and what the migrations must arrive at.

Names that begin with an underscore are bpsvc's own and may change with any version; `epochs`,
`layer_gradients` and the views of `views.sql` are public (see `catalog`). All tables are STRICT, every
constraint has a name, and only Integer, Text, REAL, LargeBinary and ANY occur, because STRICT tables know no
other types.
"""

from typing import Final

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bpsvc.store.declaring import Any_, key, metadata, needed, table, within
from bpsvc.store.schedule_tables import occurrence as occurrence
from bpsvc.store.schedule_tables import schedule as schedule
from bpsvc.store.schedule_tables import schedule_data as schedule_data
from bpsvc.store.series import EPOCH_SERIES, LAYER_SERIES, SUMMARY
from bpsvc.store.views import create_views

VERSION: Final = 4
REVISION: Final = f"{VERSION:04d}"
APPLICATION_ID: Final = int.from_bytes(b"bpsv", "big")

experiment = table(
    "_experiment",
    needed("id"),
    needed("name", Text),
    needed("revision"),
    needed("digest", Text),
    needed("description", Text),
    needed("epochs"),
    needed("spec", Text),
    needed("submitted_at", Text),
    key("experiment", "id"),
    UniqueConstraint("name", "revision", name="uq_experiment_revision"),
    UniqueConstraint("name", "digest", name="uq_experiment_content"),
    CheckConstraint("json_valid(spec)", name="ck_experiment_spec"),
    autoincrement=True,
)

dataset = table(
    "_dataset",
    needed("id"),
    needed("digest", Text),
    needed("label", Text),
    needed("examples"),
    needed("inputs"),
    needed("targets"),
    needed("features", Text),
    needed("target_names", Text),
    Column("classes", Text),
    needed("content", LargeBinary),
    key("dataset", "id"),
    UniqueConstraint("digest", name="uq_dataset_digest"),
)

# How the features of a training part were scaled; many runs share one.
scaling = table(
    "_scaling",
    needed("id"),
    needed("dataset_id"),
    needed("content", Text),
    key("scaling", "id"),
    UniqueConstraint("dataset_id", "content", name="uq_scaling_content"),
    CheckConstraint("json_valid(content)", name="ck_scaling_content"),
    within("scaling", "dataset_id", "_dataset"),
)

# Everything that makes a run but its seed and its data, once for all runs that share it.
recipe = table(
    "_recipe",
    needed("id"),
    needed("digest", Text),
    needed("spec", Text),
    needed("loss", Text),
    needed("hidden", Text),
    needed("depth"),
    Column("activation", Text),
    needed("output", Text),
    needed("init", Text),
    needed("optimizer", Text),
    Column("learning_rate", REAL),
    Column("batch_size", Integer),
    key("recipe", "id"),
    UniqueConstraint("digest", name="uq_recipe_digest"),
    CheckConstraint("json_valid(spec)", name="ck_recipe_spec"),
)

environment = table(
    "_environment",
    needed("id"),
    needed("content", Text),
    key("environment", "id"),
    UniqueConstraint("content", name="uq_environment_content"),
)

run = table(
    "_run",
    needed("id"),
    needed("key", Text),
    needed("recipe_id"),
    needed("dataset_id"),
    Column("scaling_id", Integer),
    needed("seed"),
    needed("stack", Text),
    needed("epochs"),
    needed("epochs_done", Integer, "0"),
    needed("status", Text, "'queued'"),
    Column("outcome", Text),
    needed("fence", Integer, "0"),
    needed("attempts", Integer, "0"),
    Column("lease_owner", Text),
    Column("lease_until", REAL),
    Column("claimed_at", REAL),
    *(Column(name, kind) for name, kind in SUMMARY.items()),
    Column("error", Text),
    Column("environment_id", Integer),
    needed("environment_changed", Integer, "0"),
    needed("created_at", Text),
    Column("finished_at", Text),
    needed("seconds", REAL, "0.0"),
    key("run", "id"),
    UniqueConstraint("key", name="uq_run_key"),
    CheckConstraint(
        "status IN ('queued', 'running', 'done', 'diverged', 'failed', 'cancelled')", name="ck_run_status"
    ),
    CheckConstraint("outcome IN ('horizon', 'solved', 'early_stop', 'diverged')", name="ck_run_outcome"),
    CheckConstraint("epochs_done BETWEEN 0 AND epochs", name="ck_run_epochs_done"),
    CheckConstraint("(status IN ('done', 'diverged')) = (outcome IS NOT NULL)", name="ck_run_ended"),
    CheckConstraint("(status = 'diverged') = (coalesce(outcome, '') = 'diverged')", name="ck_run_diverged"),
    CheckConstraint("coalesce(outcome, '') <> 'horizon' OR epochs_done = epochs", name="ck_run_horizon"),
    CheckConstraint("status <> 'failed' OR error IS NOT NULL", name="ck_run_failed"),
    CheckConstraint(
        "(status = 'running') = (coalesce(lease_owner, lease_until, claimed_at) IS NOT NULL)",
        name="ck_run_lease",
    ),
    CheckConstraint(
        "(lease_owner IS NULL) + (lease_until IS NULL) + (claimed_at IS NULL) IN (0, 3)",
        name="ck_run_lease_whole",
    ),
    within("run", "recipe_id", "_recipe", cascade=False),
    within("run", "dataset_id", "_dataset", cascade=False),
    within("run", "scaling_id", "_scaling", cascade=False),
    within("run", "environment_id", "_environment", cascade=False),
    # Ids are never given twice: a worker that comes back from the dead must not find a stranger under its
    # run's number.
    autoincrement=True,
)
Index("ix_run_queue", run.c.id, sqlite_where=text("status = 'queued'"))
Index(
    "ix_run_stack",
    run.c.stack,
    run.c.epochs_done,
    run.c.epochs,
    run.c.id,
    sqlite_where=text("status = 'queued'"),
)
Index("ix_run_lease", run.c.lease_owner, run.c.lease_until, sqlite_where=text("status = 'running'"))
Index("ix_run_recipe", run.c.recipe_id)
Index("ix_run_dataset", run.c.dataset_id)
Index("ix_run_scaling", run.c.scaling_id)

membership = table(
    "_membership",
    needed("experiment_id"),
    needed("run_id"),
    needed("position"),
    needed("epochs"),
    key("membership", "experiment_id", "run_id"),
    within("membership", "experiment_id", "_experiment"),
    within("membership", "run_id", "_run"),
    rowid=False,
)
Index("ix_membership_run", membership.c.run_id)

# A swept path of an experiment, and its value for each run.
axis = table(
    "_axis",
    needed("experiment_id"),
    needed("name", Text),
    needed("label", Text),
    needed("position"),
    key("axis", "experiment_id", "name"),
    UniqueConstraint("experiment_id", "label", name="uq_axis_label"),
    within("axis", "experiment_id", "_experiment"),
    rowid=False,
)
factor = table(
    "_factor",
    needed("experiment_id"),
    needed("run_id"),
    needed("name", Text),
    Column("value", Any_()),
    key("factor", "experiment_id", "run_id", "name"),
    ForeignKeyConstraint(
        ["experiment_id", "run_id"],
        ["_membership.experiment_id", "_membership.run_id"],
        name="fk_factor_membership",
        ondelete="CASCADE",
    ),
    rowid=False,
)

# What was committed when: the digest of the state after each segment is what a replay must arrive at.
segment = table(
    "_segment",
    needed("run_id"),
    needed("to_epoch"),
    needed("from_epoch"),
    needed("digest", Text),
    Column("environment_id", Integer),
    needed("owner", Text),
    needed("seconds", REAL),
    needed("committed_at", Text),
    key("segment", "run_id", "to_epoch"),
    CheckConstraint("from_epoch <= to_epoch", name="ck_segment_epochs"),
    within("segment", "run_id", "_run"),
    within("segment", "environment_id", "_environment", cascade=False),
    rowid=False,
)
checkpoint = table(
    "_checkpoint",
    needed("run_id"),
    needed("epoch"),
    needed("digest", Text),
    needed("state", LargeBinary),
    key("checkpoint", "run_id"),
    within("checkpoint", "run_id", "_run"),
)

epochs = table(
    "epochs",
    needed("run_id"),
    needed("epoch"),
    *(Column(name, REAL) for name in EPOCH_SERIES),
    key("epochs", "run_id", "epoch"),
    within("epochs", "run_id", "_run"),
    rowid=False,
)
layer_gradients = table(
    "layer_gradients",
    needed("run_id"),
    needed("epoch"),
    needed("layer"),
    *(Column(name, REAL) for name in LAYER_SERIES),
    key("layer_gradients", "run_id", "epoch", "layer"),
    within("layer_gradients", "run_id", "_run"),
    rowid=False,
)

parameters = table(
    "parameters",
    needed("run_id"),
    needed("epoch"),
    needed("layer"),
    Column("source", Integer),
    Column("unit", Integer),
    needed("name", Text),
    Column("value", REAL),
    Column("gradient", REAL),
    key("parameters", "run_id", "epoch", "name"),
    within("parameters", "run_id", "_run"),
    rowid=False,
)

# Alembic's own table, exactly as Alembic makes it.
alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def create(connection: Connection) -> None:
    """Make everything in an empty database, inside the caller's transaction, at the newest revision."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(alembic_version.insert().values(version_num=REVISION))
    create_views(connection)
    stamp(connection)


def stamp(connection: Connection) -> None:
    """Mark the file as a store of this schema, so that ordinary commands need not ask Alembic."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
