"""find events by who did them"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_event_by_at", "event", ["by", "at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_event_by_at", table_name="event")
