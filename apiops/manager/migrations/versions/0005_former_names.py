"""What a thing was called, beside each call that is to give it another name."""

import sqlalchemy as sa
from alembic import op

from apiops.manager.migrations import walls

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("journal", sa.Column("former", sa.Text))


downgrade = walls.never_back
