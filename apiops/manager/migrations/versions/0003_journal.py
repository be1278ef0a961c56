"""The journal of calls to a remote Manager."""

import sqlalchemy as sa
from alembic import op

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


def downgrade() -> None:
    raise NotImplementedError("an audit log is never taken back: restore a backup instead")
