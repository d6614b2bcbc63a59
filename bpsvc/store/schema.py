"""The tables as declared: what a new store is made of, and what the migrations must arrive at.

Names that begin with an underscore are bpsvc's own and may change with any version; `epochs`,
`layer_gradients` and the views of `views.sql` are public (see `catalog`). All tables are STRICT, every
constraint has a name, and only Integer, Text, REAL, LargeBinary and ANY occur, because STRICT tables know no
other types.
"""

from typing import Any, Final

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import UserDefinedType

from bpsvc.store.views import create_views

VERSION: Final = 1
REVISION: Final = f"{VERSION:04d}"
APPLICATION_ID: Final = int.from_bytes(b"bpsv", "big")

# What an epoch and a layer have measured, in the order of the columns.
EPOCH_SERIES: Final = (
    "loss",
    "log_likelihood",
    "accuracy",
    "mean_abs_error",
    "max_error",
    "gradient_l2",
    "validation_loss",
    "validation_accuracy",
)
LAYER_SERIES: Final = (
    "delta_rms",
    "gradient_l2",
    "gradient_mean_abs",
    "gradient_max_abs",
    "weight_l2",
    "saturated",
    "dead",
)

# What a run's row says of its training so far; a segment commits new values of these.
SUMMARY: Final = {
    "initial_loss": REAL,
    "final_loss": REAL,
    "best_loss": REAL,
    "best_epoch": Integer,
    "final_accuracy": REAL,
    "final_mean_abs_error": REAL,
    "final_validation_loss": REAL,
    "final_validation_accuracy": REAL,
    "best_validation_loss": REAL,
    "best_validation_epoch": Integer,
    "solved_epoch": Integer,
    "diverged_epoch": Integer,
    "diverged_layer": Integer,
}


class Any_(UserDefinedType[Any]):
    """A number or a text, kept as it is: STRICT's type ANY."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "ANY"


metadata = MetaData()


def _table(name: str, *parts: Any, rowid: bool = True, autoincrement: bool = False) -> Table:
    return Table(
        name,
        metadata,
        *parts,
        sqlite_strict=True,
        sqlite_with_rowid=rowid,
        sqlite_autoincrement=autoincrement,
    )


def _key(name: str, *columns: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint(*columns, name=f"pk_{name}")


def _within(name: str, column: str, other: str, *, cascade: bool = True) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        [column], [f"{other}.id"], name=f"fk_{name}_{column}", ondelete="CASCADE" if cascade else None
    )


def _needed(name: str, kind: Any = Integer, default: str | None = None) -> Column[Any]:
    return Column(name, kind, nullable=False, server_default=None if default is None else text(default))


experiment = _table(
    "_experiment",
    _needed("id"),
    _needed("name", Text),
    _needed("revision"),
    _needed("digest", Text),
    _needed("description", Text),
    _needed("epochs"),
    _needed("spec", Text),
    _needed("submitted_at", Text),
    _key("experiment", "id"),
    UniqueConstraint("name", "revision", name="uq_experiment_revision"),
    UniqueConstraint("name", "digest", name="uq_experiment_content"),
    CheckConstraint("json_valid(spec)", name="ck_experiment_spec"),
    autoincrement=True,
)

dataset = _table(
    "_dataset",
    _needed("id"),
    _needed("digest", Text),
    _needed("label", Text),
    _needed("examples"),
    _needed("inputs"),
    _needed("targets"),
    _needed("features", Text),
    _needed("target_names", Text),
    Column("classes", Text),
    _needed("content", LargeBinary),
    _key("dataset", "id"),
    UniqueConstraint("digest", name="uq_dataset_digest"),
)

# How the features of a training part were scaled; many runs share one.
scaling = _table(
    "_scaling",
    _needed("id"),
    _needed("dataset_id"),
    _needed("content", Text),
    _key("scaling", "id"),
    UniqueConstraint("dataset_id", "content", name="uq_scaling_content"),
    CheckConstraint("json_valid(content)", name="ck_scaling_content"),
    _within("scaling", "dataset_id", "_dataset"),
)

# Everything that makes a run but its seed and its data, once for all runs that share it.
recipe = _table(
    "_recipe",
    _needed("id"),
    _needed("digest", Text),
    _needed("spec", Text),
    _needed("loss", Text),
    _needed("hidden", Text),
    _needed("depth"),
    Column("activation", Text),
    _needed("output", Text),
    _needed("init", Text),
    _needed("optimizer", Text),
    Column("learning_rate", REAL),
    Column("batch_size", Integer),
    _key("recipe", "id"),
    UniqueConstraint("digest", name="uq_recipe_digest"),
    CheckConstraint("json_valid(spec)", name="ck_recipe_spec"),
)

environment = _table(
    "_environment",
    _needed("id"),
    _needed("content", Text),
    _key("environment", "id"),
    UniqueConstraint("content", name="uq_environment_content"),
)

run = _table(
    "_run",
    _needed("id"),
    _needed("key", Text),
    _needed("recipe_id"),
    _needed("dataset_id"),
    Column("scaling_id", Integer),
    _needed("seed"),
    _needed("stack", Text),
    _needed("epochs"),
    _needed("epochs_done", Integer, "0"),
    _needed("status", Text, "'queued'"),
    Column("outcome", Text),
    _needed("fence", Integer, "0"),
    _needed("attempts", Integer, "0"),
    Column("lease_owner", Text),
    Column("lease_until", REAL),
    Column("claimed_at", REAL),
    *(Column(name, kind) for name, kind in SUMMARY.items()),
    Column("error", Text),
    Column("environment_id", Integer),
    _needed("environment_changed", Integer, "0"),
    _needed("created_at", Text),
    Column("finished_at", Text),
    _needed("seconds", REAL, "0.0"),
    _key("run", "id"),
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
    _within("run", "recipe_id", "_recipe", cascade=False),
    _within("run", "dataset_id", "_dataset", cascade=False),
    _within("run", "scaling_id", "_scaling", cascade=False),
    _within("run", "environment_id", "_environment", cascade=False),
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

membership = _table(
    "_membership",
    _needed("experiment_id"),
    _needed("run_id"),
    _needed("position"),
    _needed("epochs"),
    _key("membership", "experiment_id", "run_id"),
    _within("membership", "experiment_id", "_experiment"),
    _within("membership", "run_id", "_run"),
    rowid=False,
)
Index("ix_membership_run", membership.c.run_id)

# A swept path of an experiment, and its value for each run.
axis = _table(
    "_axis",
    _needed("experiment_id"),
    _needed("name", Text),
    _needed("label", Text),
    _needed("position"),
    _key("axis", "experiment_id", "name"),
    UniqueConstraint("experiment_id", "label", name="uq_axis_label"),
    _within("axis", "experiment_id", "_experiment"),
    rowid=False,
)
factor = _table(
    "_factor",
    _needed("experiment_id"),
    _needed("run_id"),
    _needed("name", Text),
    Column("value", Any_()),
    _key("factor", "experiment_id", "run_id", "name"),
    ForeignKeyConstraint(
        ["experiment_id", "run_id"],
        ["_membership.experiment_id", "_membership.run_id"],
        name="fk_factor_membership",
        ondelete="CASCADE",
    ),
    rowid=False,
)

# What was committed when: the digest of the state after each segment is what a replay must arrive at.
segment = _table(
    "_segment",
    _needed("run_id"),
    _needed("to_epoch"),
    _needed("from_epoch"),
    _needed("digest", Text),
    Column("environment_id", Integer),
    _needed("owner", Text),
    _needed("seconds", REAL),
    _needed("committed_at", Text),
    _key("segment", "run_id", "to_epoch"),
    CheckConstraint("from_epoch <= to_epoch", name="ck_segment_epochs"),
    _within("segment", "run_id", "_run"),
    _within("segment", "environment_id", "_environment", cascade=False),
    rowid=False,
)
checkpoint = _table(
    "_checkpoint",
    _needed("run_id"),
    _needed("epoch"),
    _needed("digest", Text),
    _needed("state", LargeBinary),
    _key("checkpoint", "run_id"),
    _within("checkpoint", "run_id", "_run"),
)

epochs = _table(
    "epochs",
    _needed("run_id"),
    _needed("epoch"),
    *(Column(name, REAL) for name in EPOCH_SERIES),
    _key("epochs", "run_id", "epoch"),
    _within("epochs", "run_id", "_run"),
    rowid=False,
)
layer_gradients = _table(
    "layer_gradients",
    _needed("run_id"),
    _needed("epoch"),
    _needed("layer"),
    *(Column(name, REAL) for name in LAYER_SERIES),
    _key("layer_gradients", "run_id", "epoch", "layer"),
    _within("layer_gradients", "run_id", "_run"),
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
