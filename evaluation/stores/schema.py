"""The tables, the same for SQLite and PostgreSQL; `migrations/` makes and changes them."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

interactions = Table(
    "interactions",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("at_s", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("backbone", String(200), nullable=False),
    Column("task", String(40), nullable=False),
    Column("family", String(20), nullable=False),
    Column("policy", String(100), nullable=False),
    Column("propensity", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("images", Integer, nullable=False),
    Column("image_hashes", Text, nullable=False),
    Column("user", String(256)),
    Column("streamed", Boolean, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("error", String(200)),
    Column("answer", Text),
    Column("finish_reason", String(20)),
    Column("confidence", Float),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("cost", Float),
    Column("first_token_s", Float),
    Column("total_s", Float, nullable=False),
    Column("table_version", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("primary_id", String(64)),
    Column("experiment", String(64)),
    Column("probe_set", String(64)),
    Index("interactions_at", "at_s"),
    Index("interactions_primary", "primary_id"),
    Index("interactions_experiment", "experiment"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", String(64), primary_key=True),
    Column("request_id", String(64), nullable=False),
    Column("at_s", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("truth", Text),
    Column("choices", Text, nullable=False),
    Column("metric", String(20)),
    Column("correct", Boolean),
    Column("score", Float),
    Column("source", String(12), nullable=False),
    Column("graded", Boolean, nullable=False),
    Index("feedback_request", "request_id"),
    Index("feedback_graded", "graded"),
)

grades = Table(
    "grades",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("by", String(8), primary_key=True),  # truth | judge: the two are never mixed
    Column("score", Float, nullable=False),
    Column("metric", String(20), nullable=False),
    Column("feedback_id", String(64), nullable=False),
    Column("told_s", Float, nullable=False),  # what its author says; the last one counts
    Column(
        "known_s", Float, nullable=False
    ),  # when it was first graded here: the order of sequences
    Column("at_s", Float, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("backbone", String(200), nullable=False),
    Column("task", String(40), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("primary_id", String(64), nullable=False),
    Index("grades_primary", "primary_id"),
    Index("grades_place", "kind", "task", "backbone"),
    Index("grades_at", "at_s"),
)

experiments = Table(
    "experiments",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("spec", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("created_s", Float, nullable=False),
    Column("changed_s", Float, nullable=False),
    Column("note", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("text", Text, nullable=False),  # what it may do, and its hash
    Column("created_s", Float, nullable=False),
)

quality_tables = Table(
    "quality_tables",
    metadata,
    Column("name", String(16), primary_key=True),  # current | base | before | base-before
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False),
)
