"""Where events are kept: one schema, SQLite or PostgreSQL."""
