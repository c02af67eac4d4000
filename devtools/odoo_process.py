"""Run Odoo inside the current process, for scripts of ./dev. This needs the interpreter of the venv."""

import contextlib


@contextlib.contextmanager
def odoo_environment(database, log_level="warn"):
    """Yield a superuser environment on a database, and commit at the end unless an exception is raised.

    The configuration comes from the file in ODOO_RC.
    """
    import odoo.api
    import odoo.modules.registry
    import odoo.netsvc
    from odoo.tools import config

    config.parse_config(["-d", database, f"--log-level={log_level}"], setup_logging=True)
    registry = odoo.modules.registry.Registry(database)
    with registry.cursor() as cr:
        yield odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
