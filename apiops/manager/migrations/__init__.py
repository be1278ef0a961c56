"""The database's history: alembic versions, and the audit walls as plain SQL for each engine."""
