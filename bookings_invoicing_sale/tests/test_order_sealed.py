from odoo.addons.bookings_invoicing.tests.role_common import RolesCase
from odoo.addons.bookings_invoicing.tests.sealed_walks import SealedWalks
from odoo.tests import HttpCase, tagged


@tagged("post_install", "-at_install")
class TestSealedWithOrders(SealedWalks, RolesCase, HttpCase):
    """The same walks where orders carry bookings, too."""
