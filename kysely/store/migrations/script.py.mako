"""${message}"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

# The upgrade is refused and taken back if a table's rows or values differ afterwards and its name does not stand here.
CHANGES_ROWS: dict[str, str] = {}  # table: why rows come or go
CHANGES_VALUES: dict[str, str] = {}  # table: which values change and why


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
