"""fence jobs by attempt and fetch the oldest first"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("attempt", sa.Integer(), server_default="0", nullable=False))
        batch_op.drop_index(batch_op.f("ix_job_state_type"))
        batch_op.create_index("ix_job_state_type_opened_at", ["state", "type", "opened_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_state_type_opened_at")
        batch_op.create_index(batch_op.f("ix_job_state_type"), ["state", "type"], unique=False)
        batch_op.drop_column("attempt")
