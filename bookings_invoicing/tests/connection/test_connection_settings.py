from lxml import etree

from odoo.tests import Form, new_test_user, tagged

from ..common import BookingsCase


@tagged("post_install", "-at_install")
class TestConnectionSettings(BookingsCase):
    """The block in Invoicing's settings: where things stand, and what to do next."""

    def settings(self):
        return self.env["res.config.settings"].create({"company_id": self.company.id})

    def test_newcomer(self):
        self.setup.unlink()
        self.connection.unlink()
        self.env["bookings.connection"].search([]).active = False
        settings = self.settings()
        self.assertFalse(settings.bookings_connections)
        self.assertIn("Connect to Microsoft 365", settings.bookings_next_step)

    def test_state_of_what_there_is(self):
        settings = self.settings()
        self.assertIn("Sandbox: Not tested", settings.bookings_connections)
        self.assertIn("Test the connection", settings.bookings_next_step)
        self.connection.action_test()
        self.sync()
        settings = self.settings()
        self.assertIn("Sandbox: Connected", settings.bookings_connections)
        self.assertIn("Harbour Street Clinic: OK", settings.bookings_setups)
        self.assertIn("Harbour Street Clinic: Price and tax.", settings.bookings_next_step)
        self.setup._confirm_step("price_tax", "preset", "bill_from")
        self.env.invalidate_all()
        self.assertFalse(self.settings().bookings_next_step)

    def test_a_checkbox_stands_before_its_label(self):
        """Odoo puts it there if it is the first in its setting; 0 says that it means never."""
        view = self.env["res.config.settings"].get_view(view_type="form")
        arch = etree.fromstring(view["arch"])
        (checkbox,) = arch.xpath("//setting/*[1][@name='bookings_business_details']")
        self.assertEqual(checkbox.tag, "field")
        self.assertTrue(arch.xpath("//setting[contains(@string, '0 = Never')]"))

    def test_trouble_is_named(self):
        self.connection.action_test()
        self.setup.sudo().error_message = "Microsoft Graph denies access."
        settings = self.settings()
        self.assertTrue(settings.bookings_attention)
        self.assertIn("denies access", settings.bookings_next_step)

    def test_opens_for_an_administrator_without_a_role(self):
        """Settings of every app are one page: it opens for who has no role in accounting."""
        system = new_test_user(
            self.env, "only_settings", "base.group_system", company_id=self.company.id
        )
        with Form(self.env["res.config.settings"].with_user(system)) as form:
            settings = form.save()
        self.assertTrue(
            settings.read(["bookings_connection_count", "bookings_next_step"])[0][
                "bookings_next_step"
            ]
        )
        self.connection.with_user(system).action_test()
        self.assertTrue(
            self.connection.with_user(system).web_read({"setup_count": {}, "next_step": {}})
        )
