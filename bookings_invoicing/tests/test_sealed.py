from odoo.tests import HttpCase, tagged

from .sealed_common import SealedWalks


@tagged("post_install", "-at_install")
class TestSealed(SealedWalks, HttpCase):
    """What a person may not do on the screen, no call can do either."""
