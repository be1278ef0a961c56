"""Key versions that sign and that wait, and wrapping keys that stay in a device of their own."""

import sqlalchemy as sa
from alembic import op

from apiops.manager.migrations import walls

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHECKS = {
    "purpose": "purpose IN ('seal', 'digest', 'sign', 'checkpoint')",
    "state": "state IN ('pending', 'active', 'retiring', 'retired')",
    "wrapped": "wrapped LIKE 'apf1.%.%' OR wrapped LIKE 'apw1.%.%'",
}


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _rebuild()
    else:
        op.add_column("keyring", sa.Column("public", sa.Text))
        op.add_column("keyring", sa.Column("until", sa.Text))
        for name, check in CHECKS.items():
            # 0001 named its checks before the naming convention named them once more.
            op.drop_constraint(op.f(f"ck_keyring_ck_keyring_{name}"), "keyring")
            op.create_check_constraint(op.f(f"ck_keyring_{name}"), "keyring", check)
    walls.build(op.get_bind(), revision)


def _rebuild() -> None:
    """SQLite cannot alter a CHECK. Dropping a table drops its triggers and fires none."""
    op.create_table(
        "keyring_0002",
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("environment", "purpose", "kid", "state", "wrapped", "created")
        ),
        sa.Column("public", sa.Text),
        sa.Column("until", sa.Text),
        sa.PrimaryKeyConstraint("environment", "purpose", "kid", name="pk_keyring"),
        *(
            sa.CheckConstraint(check, name=op.f(f"ck_keyring_{name}"))
            for name, check in CHECKS.items()
        ),
    )
    op.execute(
        "INSERT INTO keyring_0002 (environment, purpose, kid, state, wrapped, created) "
        "SELECT environment, purpose, kid, state, wrapped, created FROM keyring"
    )
    op.drop_table("keyring")
    op.rename_table("keyring_0002", "keyring")
    op.create_index(
        "uq_keyring_active",
        "keyring",
        ["environment", "purpose"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
    )


downgrade = walls.never_back
