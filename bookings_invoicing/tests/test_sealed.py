from odoo.tests import HttpCase, tagged

from .role_common import RolesCase
from .sealed_walks import SealedWalks


@tagged("post_install", "-at_install")
class TestSealed(SealedWalks, RolesCase, HttpCase):
    """What a person may not do on the screen, no call can do either."""
