"""The journal of calls to a remote Manager."""

import sqlalchemy as sa
from alembic import op

from apiops.manager.migrations import walls

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NEEDED = ("repository", "target", "run", "kind", "project", "name", "action", "call", "began")


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in NEEDED),
        sa.Column("ended", sa.Text),
        sa.Column("result", sa.Text),
        sa.Column("settled", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    op.create_index("ix_journal_unsettled", "journal", ["repository", "target", "settled"])


downgrade = walls.never_back
