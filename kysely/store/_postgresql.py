"""PostgreSQL's part: two schemas, each with a role that has no right to the other."""

from __future__ import annotations

from sqlalchemy import Connection, text

from kysely.errors import StoreError
from kysely.store.databases import Database

# One number for all: two processes that upgrade at once queue up.
_UPGRADE = 0x6B797365


def schema(database: Database) -> str:
    """Return the schema revision, "" where there are no tables yet."""
    with database.owner.connect() as connection:
        connection.execute(text(f"SET search_path = {database.name}"))
        return schema_within(connection)


def schema_within(connection: Connection) -> str:
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def prepare(database: Database) -> None:
    """Make the schema and its role where they are missing; raises StoreError that says who can do it instead."""
    with database.explained(), database.owner.begin() as connection:
        login = connection.execute(text("SELECT current_user")).scalar()
        _make_role(database, connection, str(login))
        owner = connection.execute(
            text("SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = :name"), {"name": database.name}
        ).scalar()
        if owner is None:
            may = text("SELECT has_database_privilege(current_database(), 'CREATE')")
            if not connection.execute(may).scalar():
                raise StoreError(
                    f"{database}: the login {login} may not make the schema {database.name}. "
                    f'Have an administrator run: CREATE SCHEMA {database.name} AUTHORIZATION "{login}";'
                )
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {database.name}"))
        connection.execute(text(f"REVOKE ALL ON SCHEMA {database.name} FROM PUBLIC"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {database.name} TO {database.role}"))


def _make_role(database: Database, connection: Connection, login: str) -> None:
    role = database.role
    # Roles belong to the whole server: another database's upgrade may make the same one at this moment.
    connection.execute(
        text(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL; END $$"
        )
    )
    exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
    if exists and not _may_become(connection, role):
        connection.execute(
            text(
                f'DO $$ BEGIN GRANT {role} TO "{login}"; '
                "EXCEPTION WHEN unique_violation OR insufficient_privilege THEN NULL; END $$"
            )
        )
    if not exists or not _may_become(connection, role):
        make = "" if exists else f"CREATE ROLE {role} NOLOGIN; "
        raise StoreError(
            f"{database}: the login {login} may not {'take on' if exists else 'make'} the role {role}, which keeps "
            f'names and answers apart. Have an administrator run: {make}GRANT {role} TO "{login}";'
        )


def _may_become(connection: Connection, role: str) -> bool:
    return bool(connection.execute(text("SELECT pg_has_role(current_user, :role, 'SET')"), {"role": role}).scalar())


def enter(database: Database, connection: Connection) -> None:
    """Queue up for the upgrade and look at this database's schema only, for the length of the transaction."""
    wait = int(database.patience * 1000)
    connection.execute(text(f"SET LOCAL search_path = {database.name}"))
    connection.execute(text(f"SET LOCAL lock_timeout = {wait}"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE})"))


def grant(database: Database, connection: Connection) -> None:
    """Let the role read, add and amend; what it may delete is who a respondent is and what isn't saved, no answer.

    Erasing a response takes a function that looks for its tombstone first.
    """
    role = database.role
    connection.execute(text(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {database.name} TO {role}"))
    connection.execute(text(f"REVOKE INSERT, UPDATE ON alembic_version FROM {role}"))
    if "answer_event" in database.metadata.tables:
        connection.execute(text(f"REVOKE UPDATE ON answer_event, erasure FROM {role}"))
        connection.execute(
            text(f"GRANT DELETE ON anonymous_answer, anonymous_draft, anonymous_response, draft TO {role}")
        )
        connection.execute(text(f"GRANT EXECUTE ON FUNCTION erase_response(text) TO {role}"))
    if "audit_entry" in database.metadata.tables:
        connection.execute(text(f"REVOKE UPDATE ON audit_entry FROM {role}"))
        connection.execute(text(f"GRANT DELETE ON account_role, attempt, recovery_code, session TO {role}"))
    if "respondent" in database.metadata.tables:
        connection.execute(text(f"GRANT DELETE ON respondent, organisation, identity_draft, reply_address TO {role}"))


def inventory(connection: Connection, table: str, key: list[str], columns: list[str]) -> tuple[int, list[int]]:
    identity = ", ".join(f'"{name}"' for name in key)
    cells = (f"concat_ws('|', {identity}, coalesce(\"{name}\"::text, chr(1)))" for name in columns)
    sums = ", ".join(f"coalesce(sum(hashtextextended({cell}, 0)::numeric), 0)" for cell in cells)
    rows, *totals = connection.exec_driver_sql(f'SELECT count(*), {sums} FROM "{table}"').one()
    return rows, [int(total) for total in totals]
