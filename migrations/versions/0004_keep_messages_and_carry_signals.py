"""keep messages until somebody waits, and carry signals to other cases"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("thrown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_signal_instance_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
    )
    op.create_table(
        "signal_delivery",
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("thrown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.id"], name=op.f("fk_signal_delivery_signal_id")),
        sa.PrimaryKeyConstraint("signal_id", "subscription_id", name=op.f("pk_signal_delivery")),
    )
    with op.batch_alter_table("signal_delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signal_delivery_instance_id"), ["instance_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_signal_delivery_wake_at"), ["wake_at"], unique=False)

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("by", sa.String(length=200), server_default="", nullable=False))
        batch_op.add_column(sa.Column("state", sa.String(length=20), server_default="delivered", nullable=False))
        batch_op.add_column(sa.Column("place", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("payload", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.alter_column("message_id", existing_type=sa.VARCHAR(length=200), nullable=True)
        batch_op.alter_column("instance_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.create_index("ix_delivery_state_expires_at", ["state", "expires_at"], unique=False)

    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=20), server_default="message", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_column("kind")

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_state_expires_at")
        batch_op.alter_column("instance_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("message_id", existing_type=sa.VARCHAR(length=200), nullable=False)
        batch_op.drop_column("ended_at")
        batch_op.drop_column("expires_at")
        batch_op.drop_column("payload")
        batch_op.drop_column("place")
        batch_op.drop_column("state")
        batch_op.drop_column("by")

    with op.batch_alter_table("signal_delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signal_delivery_wake_at"))
        batch_op.drop_index(batch_op.f("ix_signal_delivery_instance_id"))

    op.drop_table("signal_delivery")
    op.drop_table("signal")
