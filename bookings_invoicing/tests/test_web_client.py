import base64
import os
from datetime import date, datetime, time, timedelta
from pathlib import Path
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tests.common import ChromeBrowser

from .common import BookingsCase


@tagged("post_install", "-at_install")
class TestWebClient(BookingsCase, HttpCase):
    """An accountant in a real browser. With ``BOOKINGS_SCREENSHOTS=folder`` the pictures of the README are taken."""

    frozen = False
    anchor = date.today()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.write(
            {"login": "accountant", "password": "accountant", "name": "Ada Accountant"}
        )
        cls.company.name = "Riverside Advisers"
        cls.sync()

    def test_two_bookings_become_two_drafts(self):
        ready = self.env["bookings.booking"].search([("status", "=", "ready")])
        first, second = ready[0], ready.filtered(lambda b: b.payer_id != ready[0].payer_id)[:1]
        (ready - first - second).action_mark_not_billable("other")
        self.start_tour("/odoo", "bookings_uninvoiced", login="accountant")
        self.assertEqual(set((first + second).mapped("status")), {"drafted"})
        self.assertEqual(len((first + second).move_ids), 2)

    def test_calendar_shows_the_time_of_the_business(self):
        self.setup.tz = "Europe/Copenhagen"
        self.env.user.tz = "UTC"
        booking = self.bookings()[0]
        noon = datetime.combine(date.today(), time(12))
        booking.sudo().write(
            {"name": "Kim Clock", "start": noon, "stop": noon + timedelta(hours=2)}
        )
        shown = booking._local(noon).strftime("%I:%M %p")
        self.browser_js(
            "/odoo/action-bookings_invoicing.booking_action_all?view_type=calendar",
            """
            const looking = setInterval(() => {
                const events = [...document.querySelectorAll(".fc-event")].map((e) => e.innerText);
                const text = events.find((text) => text.includes("Kim Clock"));
                if (text) {
                    clearInterval(looking);
                    text.includes("TIME") ? console.log("test successful") : console.error(text);
                }
            }, 100);
            """.replace("TIME", shown),
            "!!document.querySelector('.o_calendar_view')",
            login="accountant",
        )

    def test_clean_day_takes_three_clicks(self):
        """The app, the card of the sales journal, the preview: every ready booking is drafted."""
        bookings = self.env["bookings.booking"]
        bookings.search([("status", "=", "attention")]).action_mark_not_billable("other")
        # in the first ten days of a month only the month before is billed
        bookings.search(
            [("status", "=", "ready"), ("stop", ">=", date.today().replace(day=1))]
        ).action_mark_not_billable("other")
        ready = bookings.search([("status", "=", "ready")])
        self.start_tour("/odoo", "bookings_clean_day", login="accountant")
        self.assertEqual(set(ready.mapped("status")), {"drafted"})

    def _appointments(self, *names):
        """Appointments of last month of people that Bookings does not list as customers."""
        service = self.bookings(status="ready", price_type="fixedPrice")[0].service_id.remote_id
        day = date.today().replace(day=1) - timedelta(days=1)
        for hour, name in enumerate(names, start=8):
            self.change(
                op="create",
                start=f"{day}T{hour:02}:00:00Z",
                service=service,
                minutes=30,
                price="60.00",
                price_type="fixedPrice",
                attendees=[{"name": name, "email": f"{name.split()[0].lower()}@example.com"}],
            )
        self.sync()
        return self.bookings().filtered(lambda booking: booking.name in names)

    def _clerk(self):
        """Exactly Odoo's Invoicing role."""
        return new_test_user(
            self.env,
            "invoicing-clerk",
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_invoicing_role_works_from_the_overview(self):
        """A price typed in the row and undone; rows of the preview to check, and one opened; drafts."""
        ready = self.bookings(status="ready")
        ready[::2].sudo().billed_before = True
        self._clerk()
        self.start_tour("/odoo", "bookings_clerk_day", login="invoicing-clerk")
        self.assertIn("drafted", ready.mapped("status"))
        self.assertFalse(self.bookings().filtered("has_manual_price"), "it was undone")

    def test_credit_and_bill_again_takes_six_clicks(self):
        booking = self.bookings(status="ready", price_type="fixedPrice").filtered("price")[0]
        booking.action_create_invoices()
        booking.move_ids.action_post()
        self.change(op="reprice", appointment=booking.appointment_id, price="123.00")
        self.sync()
        self._clerk()
        self.start_tour("/odoo", "bookings_credit_again", login="invoicing-clerk")
        self.assertEqual((booking.status, booking.amount), ("drafted", 123.0))
        self.assertEqual(len(booking.move_ids), 3)

    def test_mixed_day_takes_eighteen_clicks(self):
        """The tour counts its clicks: strangers, no-shows, a waived and a changed one; drafted, posted and sent."""
        known = self._appointments("Kim Known", "Kay Known", "Tom To Waive")
        self.bookings(status="attention").action_mark_not_billable("other")
        changed = (self.bookings(status="ready") - known)[0]
        (self.bookings(status="ready") - known - changed).action_mark_not_billable("other")
        changed.action_create_invoices()
        self.change(op="reprice", appointment=changed.appointment_id, price="123.00")
        self.setup.customer_sync = "off"
        unknown = self._appointments("Nora Newcomer", "Nils Newcomer", "Nina Newcomer")
        self.assertTrue(changed.changed_since_billing)
        self.assertEqual(set(unknown.mapped("attention_reason")), {"no_customer"})
        self.start_tour("/odoo", "bookings_mixed_day", login="accountant")
        self.assertEqual(changed.invoice_line_ids.price_subtotal, 123)
        self.assertFalse(changed.changed_since_billing)
        billed = (known | unknown).filtered(lambda booking: booking.status == "invoiced")
        self.assertEqual(set(billed.mapped("name")), {"Kim Known", "Kay Known", "Nora Newcomer"})
        self.assertEqual(set(billed.mapped("attendance")), {"came"})
        self.assertEqual(
            sorted((known + unknown - billed).mapped("not_billable_reason")),
            ["no_show", "no_show", "waived"],
        )
        self.assertTrue(all(move.sending_data for move in billed.move_ids))

    def test_month_end_of_two_businesses_takes_twenty_clicks(self):
        """Drafted, posted, and sent; both reports signed, and printed together. Exactly Odoo's Invoicing role."""
        other = self._make_setup(name="Second Clinic", business_id=self.tenant.mailboxes[1].id)
        self.sync(other)
        other.currency_id.active = True
        self.env["bookings.booking"].search([("setup_id", "=", other.id)])._recheck_billing()
        first = date.today().replace(day=1)
        ready = self.env["bookings.booking"].search([("status", "=", "ready")])
        billed = ready.browse()
        for setup in self.setup | other:
            month = ready.filtered(
                lambda one, setup=setup: one.setup_id == setup and one.service_day < first
            )
            billed |= month[:2]
        (ready - billed).action_mark_not_billable("other")
        self.assertEqual(billed.setup_id, self.setup | other)
        self._clerk()
        self.start_tour("/odoo", "bookings_month_end", login="invoicing-clerk")
        self.assertEqual(set(billed.mapped("status")), {"invoiced"})
        reports = self.env["bookings.completeness"].search([])
        self.assertEqual(reports.setup_id, self.setup | other)
        self.assertEqual(set(reports.mapped("state")), {"signed"})

    def test_open_form_follows_a_run_in_the_background(self):
        """The server creates one more draft each time before the form looks."""
        ready = self.bookings(status="ready")
        pair = ready[0] | ready.filtered(lambda one: one.payer_id != ready[0].payer_id)[0]
        run = self.env["bookings.invoice.run"]._enqueue([[one.id] for one in pair], {})
        looks, read = iter((False, True, True)), type(run).web_read

        def web_read(record, specification):
            if next(looks, False):
                run._work_batch(1)
                run.env.flush_all()
            return read(record, specification)

        with patch.object(type(run), "web_read", web_read):
            self.start_tour(
                f"/odoo/action-bookings_invoicing.bookings_invoice_run_action/{run.id}",
                "bookings_queued_run",
                login="accountant",
            )
        self.assertEqual((run.state, len(run.move_ids)), ("done", 2))

    def test_screens_open(self):
        ready = self.env["bookings.booking"].search([("status", "=", "ready")], order="start")
        ready[: len(ready) // 2].action_create_invoices()
        booking = self.env["bookings.booking"].search([("status", "=", "ready")], limit=1)
        screens = {
            "dashboard": ("/odoo/accounting", ".o_kanban_record:not(.o_kanban_ghost)"),
            "uninvoiced": ("/odoo/uninvoiced-bookings", ".o_list_view .o_data_row"),
            "booking": (
                f"/odoo/bookings/{booking.id}",
                ".o_form_view .o_field_widget[name=amount]",
            ),
            "setup": (f"/odoo/booking-sync-setup/{self.setup.id}", ".o_form_view .o_notebook"),
            "connection": (
                f"/odoo/bookings-connections/{self.connection.id}",
                ".o_form_view .o_group",
            ),
            "draft": (
                f"/odoo/customer-invoices/{ready[0].move_ids.id}",
                ".o_form_view .o_field_widget[name=invoice_line_ids] .o_data_row",
            ),
        }
        for width, suffix in ((1400, ""), (420, "-narrow")):
            for name, picture in self._pictures(screens, width).items():
                self._keep(name + suffix, picture)

    def _pictures(self, screens, width):
        """PNG of each screen, once its selector is there; a console error fails the test."""
        browser = ChromeBrowser(self)
        pictures = {}
        with self.allow_requests(browser=browser):
            self.authenticate("accountant", "accountant", browser=browser)
            self.cr.flush()
            self.cr.clear()
            try:
                browser._websocket_request(
                    "Emulation.setDeviceMetricsOverride",
                    params={"width": width, "height": 860, "deviceScaleFactor": 1, "mobile": False},
                )
                for name, (path, selector) in screens.items():
                    browser.navigate_to(self.base_url() + path)
                    narrow = selector.replace(
                        ".o_list_view .o_data_row", ".o_content .o_view_controller, .o_content *"
                    )
                    ready = selector if width > 800 else f"{selector}, {narrow}, .o_kanban_record"
                    self.assertTrue(
                        browser._wait_ready(f"!!document.querySelector({ready!r})"), name
                    )
                    answer = browser._websocket_request("Page.captureScreenshot")
                    pictures[name] = base64.b64decode(answer["data"])
            finally:
                browser.stop()
            self._wait_remaining_requests()
        return pictures

    def _keep(self, name, picture):
        self.assertTrue(picture.startswith(b"\x89PNG"), name)
        folder = os.environ.get("BOOKINGS_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f"{name}.png").write_bytes(picture)
