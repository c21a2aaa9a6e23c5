"""What Alembic runs. The connection comes from kysely.store.upgrading, which guards every row around this."""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Migrations run through `kysely database upgrade`, which makes a backup and counts the rows.")

context.configure(
    connection=connection,
    target_metadata=context.config.attributes["metadata"],
    # Both databases take part in a transaction with their DDL; the one around this commits or takes back everything.
    transactional_ddl=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
