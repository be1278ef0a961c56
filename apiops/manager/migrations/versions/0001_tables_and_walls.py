"""Tables, audit walls and hash chain."""

import sqlalchemy as sa
from alembic import op

from apiops.manager.migrations import walls

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("lineage", sa.Text, nullable=False),
        sa.Column("trust", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_meta_one_row"),
    )
    op.create_table(
        "resource",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("protected", sa.Boolean, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("applied", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_resource"),
        sa.UniqueConstraint("kind", "project", "name", name="uq_resource_kind_project_name"),
    )
    op.create_index("ix_resource_project", "resource", ["project"])
    op.create_index(
        "ix_resource_state", "resource", ["kind", "project", "name", "digest", "serial"]
    )
    op.create_table(
        "snapshot",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_snapshot"),
    )
    op.create_table(
        "attachment",
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_attachment"),
    )
    op.create_table(
        "sealed",
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("pointer", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("kid", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("resource", "pointer", name="pk_sealed"),
        sa.ForeignKeyConstraint(["resource"], ["resource.id"], name="fk_sealed_resource"),
        sa.CheckConstraint("token LIKE 'apf1.%.%'", name="ck_sealed_token"),
    )
    op.create_index("ix_sealed_environment_kid", "sealed", ["environment", "kid"])
    op.create_table(
        "deployment",
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("persistent", sa.Boolean),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("resource", "environment", name="pk_deployment"),
        sa.ForeignKeyConstraint(["resource"], ["resource.id"], name="fk_deployment_resource"),
        sa.ForeignKeyConstraint(["digest"], ["snapshot.digest"], name="fk_deployment_digest"),
    )
    op.create_index("ix_deployment_environment", "deployment", ["environment"])
    op.create_table(
        "applied",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("tree", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("repository", "target", "unit", "serial", name="pk_applied"),
    )
    op.create_table(
        "introduction",
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("approver", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("repository", "target", name="pk_introduction"),
    )
    op.create_table(
        "keyring",
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("kid", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("wrapped", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("environment", "purpose", "kid", name="pk_keyring"),
        sa.CheckConstraint("purpose IN ('seal', 'digest')", name="ck_keyring_purpose"),
        sa.CheckConstraint("state IN ('active', 'retiring', 'retired')", name="ck_keyring_state"),
        sa.CheckConstraint("wrapped LIKE 'apf1.%.%'", name="ck_keyring_wrapped"),
    )
    op.create_index(
        "uq_keyring_active",
        "keyring",
        ["environment", "purpose"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
        sa.UniqueConstraint("fence", name="uq_lease_fence"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=name in OPTIONAL)
            for name in ENTRY
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_entry"),
    )
    for columns in (["at"], ["principal"], ["run"], ["project", "kind", "name"]):
        op.create_index("ix_audit_entry_" + "_".join(columns), "audit_entry", columns)
    walls.build(op.get_bind(), revision)


ENTRY = (
    "at", "actor", "principal", "tier", "action", "kind", "project", "name", "environment",
    "outcome", "before", "after", "note", "reason", "run", "source", "address", "login",
    "previous", "digest",
)
OPTIONAL = {"kind", "project", "name", "environment", "before", "after", "note"}


downgrade = walls.never_back
