"""The first store: experiments, runs, their records, queue and checkpoints.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE _dataset (
        id INTEGER NOT NULL,
        digest TEXT NOT NULL,
        label TEXT NOT NULL,
        examples INTEGER NOT NULL,
        inputs INTEGER NOT NULL,
        targets INTEGER NOT NULL,
        features TEXT NOT NULL,
        target_names TEXT NOT NULL,
        classes TEXT,
        content BLOB NOT NULL,
        CONSTRAINT pk_dataset PRIMARY KEY (id),
        CONSTRAINT uq_dataset_digest UNIQUE (digest)
    ) STRICT
    """,
    """
    CREATE TABLE _environment (
        id INTEGER NOT NULL,
        content TEXT NOT NULL,
        CONSTRAINT pk_environment PRIMARY KEY (id),
        CONSTRAINT uq_environment_content UNIQUE (content)
    ) STRICT
    """,
    """
    CREATE TABLE _experiment (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        revision INTEGER NOT NULL,
        digest TEXT NOT NULL,
        description TEXT NOT NULL,
        epochs INTEGER NOT NULL,
        spec TEXT NOT NULL,
        submitted_at TEXT NOT NULL,
        CONSTRAINT uq_experiment_revision UNIQUE (name, revision),
        CONSTRAINT uq_experiment_content UNIQUE (name, digest),
        CONSTRAINT ck_experiment_spec CHECK (json_valid(spec))
    ) STRICT
    """,
    """
    CREATE TABLE _recipe (
        id INTEGER NOT NULL,
        digest TEXT NOT NULL,
        spec TEXT NOT NULL,
        loss TEXT NOT NULL,
        hidden TEXT NOT NULL,
        depth INTEGER NOT NULL,
        activation TEXT,
        output TEXT NOT NULL,
        init TEXT NOT NULL,
        optimizer TEXT NOT NULL,
        learning_rate REAL,
        batch_size INTEGER,
        CONSTRAINT pk_recipe PRIMARY KEY (id),
        CONSTRAINT uq_recipe_digest UNIQUE (digest),
        CONSTRAINT ck_recipe_spec CHECK (json_valid(spec))
    ) STRICT
    """,
    """
    CREATE TABLE _axis (
        experiment_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        label TEXT NOT NULL,
        position INTEGER NOT NULL,
        CONSTRAINT pk_axis PRIMARY KEY (experiment_id, name),
        CONSTRAINT uq_axis_label UNIQUE (experiment_id, label),
        CONSTRAINT fk_axis_experiment_id FOREIGN KEY(experiment_id)
            REFERENCES _experiment (id) ON DELETE CASCADE
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE TABLE _scaling (
        id INTEGER NOT NULL,
        dataset_id INTEGER NOT NULL,
        content TEXT NOT NULL,
        CONSTRAINT pk_scaling PRIMARY KEY (id),
        CONSTRAINT uq_scaling_content UNIQUE (dataset_id, content),
        CONSTRAINT ck_scaling_content CHECK (json_valid(content)),
        CONSTRAINT fk_scaling_dataset_id FOREIGN KEY(dataset_id)
            REFERENCES _dataset (id) ON DELETE CASCADE
    ) STRICT
    """,
    """
    CREATE TABLE _run (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        "key" TEXT NOT NULL,
        recipe_id INTEGER NOT NULL,
        dataset_id INTEGER NOT NULL,
        scaling_id INTEGER,
        seed INTEGER NOT NULL,
        stack TEXT NOT NULL,
        epochs INTEGER NOT NULL,
        epochs_done INTEGER DEFAULT 0 NOT NULL,
        status TEXT DEFAULT 'queued' NOT NULL,
        outcome TEXT,
        fence INTEGER DEFAULT 0 NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        lease_owner TEXT,
        lease_until REAL,
        claimed_at REAL,
        initial_loss REAL,
        final_loss REAL,
        best_loss REAL,
        best_epoch INTEGER,
        final_accuracy REAL,
        final_mean_abs_error REAL,
        final_validation_loss REAL,
        final_validation_accuracy REAL,
        best_validation_loss REAL,
        best_validation_epoch INTEGER,
        solved_epoch INTEGER,
        diverged_epoch INTEGER,
        diverged_layer INTEGER,
        error TEXT,
        environment_id INTEGER,
        environment_changed INTEGER DEFAULT 0 NOT NULL,
        created_at TEXT NOT NULL,
        finished_at TEXT,
        seconds REAL DEFAULT (0.0) NOT NULL,
        CONSTRAINT uq_run_key UNIQUE ("key"),
        CONSTRAINT ck_run_status
            CHECK (status IN ('queued', 'running', 'done', 'diverged', 'failed', 'cancelled')),
        CONSTRAINT ck_run_outcome CHECK (outcome IN ('horizon', 'solved', 'early_stop', 'diverged')),
        CONSTRAINT ck_run_epochs_done CHECK (epochs_done BETWEEN 0 AND epochs),
        CONSTRAINT ck_run_ended CHECK ((status IN ('done', 'diverged')) = (outcome IS NOT NULL)),
        CONSTRAINT ck_run_diverged CHECK ((status = 'diverged') = (coalesce(outcome, '') = 'diverged')),
        CONSTRAINT ck_run_horizon CHECK (coalesce(outcome, '') <> 'horizon' OR epochs_done = epochs),
        CONSTRAINT ck_run_failed CHECK (status <> 'failed' OR error IS NOT NULL),
        CONSTRAINT ck_run_lease
            CHECK ((status = 'running') = (coalesce(lease_owner, lease_until, claimed_at) IS NOT NULL)),
        CONSTRAINT ck_run_lease_whole
            CHECK ((lease_owner IS NULL) + (lease_until IS NULL) + (claimed_at IS NULL) IN (0, 3)),
        CONSTRAINT fk_run_recipe_id FOREIGN KEY(recipe_id) REFERENCES _recipe (id),
        CONSTRAINT fk_run_dataset_id FOREIGN KEY(dataset_id) REFERENCES _dataset (id),
        CONSTRAINT fk_run_scaling_id FOREIGN KEY(scaling_id) REFERENCES _scaling (id),
        CONSTRAINT fk_run_environment_id FOREIGN KEY(environment_id) REFERENCES _environment (id)
    ) STRICT
    """,
    """
    CREATE INDEX ix_run_dataset ON _run (dataset_id)
    """,
    """
    CREATE INDEX ix_run_lease ON _run (lease_owner, lease_until) WHERE status = 'running'
    """,
    """
    CREATE INDEX ix_run_queue ON _run (id) WHERE status = 'queued'
    """,
    """
    CREATE INDEX ix_run_recipe ON _run (recipe_id)
    """,
    """
    CREATE INDEX ix_run_scaling ON _run (scaling_id)
    """,
    """
    CREATE INDEX ix_run_stack ON _run (stack, epochs_done, epochs, id) WHERE status = 'queued'
    """,
    """
    CREATE TABLE _checkpoint (
        run_id INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        digest TEXT NOT NULL,
        state BLOB NOT NULL,
        CONSTRAINT pk_checkpoint PRIMARY KEY (run_id),
        CONSTRAINT fk_checkpoint_run_id FOREIGN KEY(run_id) REFERENCES _run (id) ON DELETE CASCADE
    ) STRICT
    """,
    """
    CREATE TABLE _membership (
        experiment_id INTEGER NOT NULL,
        run_id INTEGER NOT NULL,
        position INTEGER NOT NULL,
        epochs INTEGER NOT NULL,
        CONSTRAINT pk_membership PRIMARY KEY (experiment_id, run_id),
        CONSTRAINT fk_membership_experiment_id FOREIGN KEY(experiment_id)
            REFERENCES _experiment (id) ON DELETE CASCADE,
        CONSTRAINT fk_membership_run_id FOREIGN KEY(run_id) REFERENCES _run (id) ON DELETE CASCADE
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE INDEX ix_membership_run ON _membership (run_id)
    """,
    """
    CREATE TABLE _segment (
        run_id INTEGER NOT NULL,
        to_epoch INTEGER NOT NULL,
        from_epoch INTEGER NOT NULL,
        digest TEXT NOT NULL,
        environment_id INTEGER,
        owner TEXT NOT NULL,
        seconds REAL NOT NULL,
        committed_at TEXT NOT NULL,
        CONSTRAINT pk_segment PRIMARY KEY (run_id, to_epoch),
        CONSTRAINT ck_segment_epochs CHECK (from_epoch <= to_epoch),
        CONSTRAINT fk_segment_run_id FOREIGN KEY(run_id) REFERENCES _run (id) ON DELETE CASCADE,
        CONSTRAINT fk_segment_environment_id FOREIGN KEY(environment_id) REFERENCES _environment (id)
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE TABLE epochs (
        run_id INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        loss REAL,
        log_likelihood REAL,
        accuracy REAL,
        mean_abs_error REAL,
        max_error REAL,
        gradient_l2 REAL,
        validation_loss REAL,
        validation_accuracy REAL,
        CONSTRAINT pk_epochs PRIMARY KEY (run_id, epoch),
        CONSTRAINT fk_epochs_run_id FOREIGN KEY(run_id) REFERENCES _run (id) ON DELETE CASCADE
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE TABLE layer_gradients (
        run_id INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        layer INTEGER NOT NULL,
        delta_rms REAL,
        gradient_l2 REAL,
        gradient_mean_abs REAL,
        gradient_max_abs REAL,
        weight_l2 REAL,
        saturated REAL,
        dead REAL,
        CONSTRAINT pk_layer_gradients PRIMARY KEY (run_id, epoch, layer),
        CONSTRAINT fk_layer_gradients_run_id FOREIGN KEY(run_id) REFERENCES _run (id) ON DELETE CASCADE
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE TABLE _factor (
        experiment_id INTEGER NOT NULL,
        run_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        value ANY,
        CONSTRAINT pk_factor PRIMARY KEY (experiment_id, run_id, name),
        CONSTRAINT fk_factor_membership FOREIGN KEY(experiment_id, run_id)
            REFERENCES _membership (experiment_id, run_id) ON DELETE CASCADE
    ) WITHOUT ROWID, STRICT
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
