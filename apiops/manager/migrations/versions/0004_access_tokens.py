"""Access tokens: who may call over HTTP, as what, and until when."""

import sqlalchemy as sa
from alembic import op

from apiops.manager.migrations import walls

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_token",
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("id", "principal", "name", "kind", "scopes", "hash", "maker", "created", "expires")
        ),
        *(
            sa.Column(name, sa.Text)
            for name in ("environment", "repository", "revoked")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_access_token"),
        sa.CheckConstraint("kind IN ('person', 'service', 'worker')", name="ck_access_token_kind"),
        sa.CheckConstraint("length(hash) = 64", name="ck_access_token_hash"),
    )
    op.create_index("ix_access_token_principal", "access_token", ["principal"])
    walls.build(op.get_bind(), revision)


downgrade = walls.never_back
