"""Alembic's migrations; `evaluation.stores.migrate` runs them at start."""
