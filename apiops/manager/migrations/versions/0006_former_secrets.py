"""Secrets that were replaced or taken away, still sealed, so that a run can be undone."""

import sqlalchemy as sa
from alembic import op

from apiops.manager.migrations import walls

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = (
    *("resource", "pointer", "fingerprint", "kind", "environment", "kid", "token", "run", "at"),
)


def upgrade() -> None:
    op.create_table(
        "former_secret",
        *(sa.Column(name, sa.Text, nullable=False) for name in COLUMNS),
        sa.PrimaryKeyConstraint("resource", "pointer", "fingerprint", name="pk_former_secret"),
        sa.CheckConstraint("token LIKE 'apf1.%.%'", name="ck_former_secret_token"),
    )
    op.create_index("ix_former_secret_fingerprint", "former_secret", ["fingerprint"])
    op.create_index("ix_former_secret_environment", "former_secret", ["environment", "kid"])
    walls.build(op.get_bind(), revision)


downgrade = walls.never_back
