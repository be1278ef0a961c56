"""Alembic's entry: the connection is handed over by `manager.schema`, never made here."""

from alembic import context

from apiops.manager.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="schema_version",
    transaction_per_migration=False,
)
context.run_migrations()
