from contextlib import contextmanager
from unittest.mock import patch

from odoo import api, models
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .role_common import RolesCase
from .sealed_common import ORM, OURS, QUIET, RPC
from .sealed_walks import BOOKING, SealedWalks


@tagged("post_install", "-at_install")
class TestSealed(SealedWalks, RolesCase, HttpCase):
    """What a person may not do on the screen, no call can do either; and a walk that finds nothing proves nothing."""

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
        self.assertEqual(
            len(shown), 4, "read, searched, sorted, and grouped; portal users export nothing"
        )
        self.assertNotIn("export_data", "".join(shown))
        with self.added(BOOKING, "x_told", ttype="char", readonly=True):
            self.assertIn("x_told", self.sealed_of(BOOKING))
            self.assertIn("x_told", [field.name for _model, field in self.read_only_fields()])
            self.assertEqual([*self.read_only_written(ORM, only=BOOKING)], [])
        with self.added(BOOKING, "x_who", ttype="many2one", relation="bookings.customer"):
            self.assertIn("x_who", [field.name for _model, field, _record in self.links()])
            self.assertEqual([*self.links_crossed(ORM, only=BOOKING)], [])
        self.assertNotIn("x_who", self.env[BOOKING]._fields)

    @mute_logger(*QUIET)
    def test_the_walks_find_what_is_open(self):
        """Each kind of hole, planted into one model, is found over the ORM and over JSON-RPC."""
        registry, base = self.env.registry, models.BaseModel

        @api.model_create_multi
        def obeys(self, vals_list):
            made = base.create(self, vals_list)
            if self.env.context.get("bookings_importing") is True:
                made.sudo().state = "signed"
            return made

        def nothing(*_args):
            return None

        def all_of_it(_self, vals, _read_only):
            return vals

        report, rule = "bookings.completeness", "bookings.label.rule"
        customer, line = "bookings.customer", "bookings.service.proposal.line"
        billed = self.env["account.move.line"]._fields["booking_id"]
        holes = [
            (billed, "groups", None, self.fields_shown, "account.move.line"),
            (
                registry[customer],
                "_without_own_values",
                all_of_it,
                self.read_only_written,
                customer,
            ),
            (registry[report], "default_get", base.default_get, self.contexts_obeyed, report),
            (registry[report], "create", obeys, self.contexts_obeyed, report),
            (registry[line], "_check_links", nothing, self.links_crossed, line),
            (registry[BOOKING], "_check_sent_links", nothing, self.links_crossed, BOOKING),
            (registry[rule], "_check_not_moved", nothing, self.moved, rule),
        ]
        for way in (ORM, RPC):
            for owner, name, hole, walk, model in holes:
                with self.subTest(hole=f"{owner}.{name}", way=way):
                    with patch.object(owner, name, hole):
                        self.assertTrue([*walk(way, only=model)], "the walk passes by")
                    self.assertEqual([*walk(way, only=model)], [])
        with patch.object(registry[report], "default_get", base.default_get):
            self.assertTrue([*self.defaults_taken(report)])
