"""Lets the addon's plain packages be imported without Odoo.

The addon's own ``__init__`` imports its models, which need Odoo. A stand-in for that package, which
only knows where its parts are, makes ``import bookings_invoicing.graph`` work by itself.
"""

from pathlib import Path

from devtools.graph_server import plain_package

ADDON = Path(plain_package("billing").__file__).parents[1]
