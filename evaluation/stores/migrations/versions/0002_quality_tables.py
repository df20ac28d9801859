"""Quality tables move from a folder of one node into the store that all gateways share."""

from alembic import op
from sqlalchemy import Column, Integer, String, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of tables."""
    op.create_table(
        "quality_tables",
        Column("name", String(16), primary_key=True),
        Column("version", Integer, nullable=False),
        Column("text", Text, nullable=False),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("quality_tables")
