"""Odoo inside the running process, for scripts of ./dev; needs the venv's interpreter."""

import contextlib


@contextlib.contextmanager
def odoo_environment(database, log_level="warn"):
    """Superuser environment on a database; committed at the end unless an error passes through.

    The configuration comes from the file that ODOO_RC names.
    """
    import odoo.api
    import odoo.modules.registry
    import odoo.netsvc
    from odoo.tools import config

    config.parse_config(["-d", database, f"--log-level={log_level}"], setup_logging=True)
    registry = odoo.modules.registry.Registry(database)
    with registry.cursor() as cr:
        yield odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
