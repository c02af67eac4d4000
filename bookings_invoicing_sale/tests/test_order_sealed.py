from odoo.addons.bookings_invoicing.tests.role_common import RolesCase
from odoo.addons.bookings_invoicing.tests.sealed_walks import SealedWalks
from odoo.tests import HttpCase, tagged

OURS = "odoo.addons.bookings_invoicing_sale."


@tagged("post_install", "-at_install")
class TestSealedWithOrders(SealedWalks, RolesCase, HttpCase):
    """The same walks over all models that this addon extends; it changes nothing in the others."""

    part = 0.2

    @classmethod
    def is_walked(cls, model):
        return any(base.__module__.startswith(OURS) for base in cls.env.registry[model].mro())
