"""Series that are measured on request, and the parameters of small networks.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE epochs ADD COLUMN sharpness REAL",
    "ALTER TABLE layer_gradients ADD COLUMN w_dot_g REAL",
    "ALTER TABLE layer_gradients ADD COLUMN b_dot_g REAL",
    """
    CREATE TABLE parameters (
        run_id INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        layer INTEGER NOT NULL,
        source INTEGER,
        unit INTEGER,
        name TEXT NOT NULL,
        value REAL,
        gradient REAL,
        CONSTRAINT pk_parameters PRIMARY KEY (run_id, epoch, name),
        CONSTRAINT fk_parameters_run_id FOREIGN KEY(run_id) REFERENCES _run (id) ON DELETE CASCADE
    ) WITHOUT ROWID, STRICT
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
