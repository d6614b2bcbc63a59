"""The view `results`: views are all made again after a migration, and nothing else changes.

Revision ID: 0004
Revises: 0003
"""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables stay as they are."""
