"""API keys that are made while the service runs."""

from alembic import op
from sqlalchemy import Column, Float, String, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of keys; it holds hashes."""
    op.create_table(
        "api_keys",
        Column("name", String(64), primary_key=True),
        Column("text", Text, nullable=False),
        Column("created_s", Float, nullable=False),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("api_keys")
