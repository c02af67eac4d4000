from contextlib import contextmanager

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .role_common import RolesCase
from .sealed_common import ORM, OURS, QUIET
from .sealed_walks import BOOKING, SealedWalks


@tagged("post_install", "-at_install")
class TestSealed(SealedWalks, RolesCase, HttpCase):
    """What a person may not do on the screen, no call can do either."""

    @contextmanager
    def added(self, model, name, **attributes):
        """A field that the registry has for the time of the block, as if an addon of ours had declared it."""
        field = self.env["ir.model.fields"].create(
            {
                "model_id": self.env["ir.model"]._get_id(model),
                "name": name,
                "field_description": name,
                **attributes,
            }
        )
        try:
            self.env[model]._fields[name]._module = OURS
            self.env.registry.clear_cache()
            yield
        finally:
            field.unlink()

    @mute_logger(*QUIET, "odoo.registry", "odoo.schema")
    def test_a_new_field_is_walked_too(self):
        """Nobody has to enter it anywhere: open on an invoice it is found, read-only or a link of ours it is sealed."""
        with self.added("account.move", "x_open", ttype="char"):
            shown = [*self.fields_shown(ORM, only="account.move")]
        self.assertEqual([text for text in shown if "x_open" not in text], [])
        self.assertEqual(len(shown), 5, "read, searched, sorted, grouped, and exported")
        with self.added(BOOKING, "x_told", ttype="char", readonly=True):
            self.assertIn("x_told", self.sealed_of(BOOKING))
            self.assertIn("x_told", [field.name for _model, field in self.read_only_fields()])
            self.assertEqual([*self.read_only_written(ORM, only=BOOKING)], [])
        with self.added(BOOKING, "x_who", ttype="many2one", relation="bookings.customer"):
            self.assertIn("x_who", [field.name for _model, field, _record in self.links()])
            self.assertEqual([*self.links_crossed(ORM, only=BOOKING)], [])
        self.assertNotIn("x_who", self.env[BOOKING]._fields)
