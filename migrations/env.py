"""What Alembic runs: all revisions in one transaction, on the connection that `bpsvc.store.migrate` hands
over.

Views are dropped before the first step and made again after the last one, so that a revision alters tables
freely and never mentions a view.
"""

from alembic import context

from bpsvc.store.schema import stamp
from bpsvc.store.views import create_views, drop_views

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("use `bpsvc db upgrade`: it locks the store, backs it up and verifies it")
context.configure(connection=connection, target_metadata=None, transactional_ddl=True)
drop_views(connection)
context.run_migrations()
create_views(connection)
stamp(connection)
