"""Lets the addon's plain packages be imported without Odoo.

The addon's own ``__init__`` imports its models, which need Odoo. A stand-in for that package, which
only knows where its parts are, makes ``import bookings_invoicing.graph`` work by itself.
"""

import sys
import types
from pathlib import Path

ADDON = Path(__file__).resolve().parents[2] / "bookings_invoicing"


def _stand_in():
    package = types.ModuleType(ADDON.name)
    package.__path__ = [str(ADDON)]
    package.__file__ = str(ADDON / "__init__.py")
    return package


sys.modules.setdefault(ADDON.name, _stand_in())
