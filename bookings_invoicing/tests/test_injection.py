import csv
import io
import json
import zipfile
from datetime import timedelta
from xml.etree import ElementTree

from markupsafe import escape

from odoo import http
from odoo.tests import HttpCase, tagged
from odoo.tests.common import ChromeBrowser

from ..models.base.safe_text import plain_name, safe_cell
from .common import BookingsCase
from .injection_common import MARK

HTML = [
    f"<script>window.{MARK}=1</script>",
    f"<img src=x onerror=window.{MARK}=1>",
    f"<svg onload=window.{MARK}=1>",
    f'"><script>window.{MARK}=1</script>',
    f"' onmouseover='window.{MARK}=1",
    f"<iframe srcdoc='<script>parent.{MARK}=1</script>'>",
    f"<body onload=window.{MARK}=1>",
    f"<details open ontoggle=window.{MARK}=1>",
    f'<a href="javascript:window.{MARK}=1">x</a>',
    f"javascript:window.{MARK}=1",
    f"<math><mtext></table><img src=x onerror=window.{MARK}=1>",
    f"<style>@import 'javascript:{MARK}'</style>",
    f"<input autofocus onfocus=window.{MARK}=1>",
    f"</textarea><script>window.{MARK}=1</script>",
    f"</title><script>window.{MARK}=1</script>",
    f"<!--><script>window.{MARK}=1</script>",
    f"<![CDATA[<script>window.{MARK}=1</script>]]>",
    f"&lt;script&gt;window.{MARK}=1&lt;/script&gt;",
    f"<scr<script>ipt>window.{MARK}=1</script>",
    f'<object data="data:text/html,<script>{MARK}</script>">',
    f"<form action=javascript:{MARK}><button>x",
    f"<base href=//evil.example/{MARK}>",
    f"<link rel=stylesheet href=//evil.example/{MARK}>",
    f"<meta http-equiv=refresh content=0;url=//evil.example/{MARK}>",
    f"<b>{MARK}</b>",
]
TEMPLATES = [
    "{{ 7*7 }}",
    "{{ object.env.cr }}",
    "{% for x in y %}",
    '<t t-out="env"/>',
    '<t t-raw="7*7"/>',
    "${7*7}",
    "#{7*7}",
    "%(secret)s",
    "%s%s%s%n",
    "{staff}",
    "{attendee}",
    "{0.__class__}",
    "{service.__init__.__globals__}",
]
FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://evil.example";"x")',
    "=cmd|'/C calc'!A0",
    "+1+cmd|'/C calc'!A0",
    "-2+3+cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|'/C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "{=1+1}",
    "==1+1",
    "'=1+1",
]
PAYLOADS = HTML + TEMPLATES + FORMULAS


class InjectionCase(BookingsCase):
    """50 hostile names as customers, labels and places of past appointments; two of them wait for a decision."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        service, staff = cls.tenant.services[0]["id"], cls.tenant.staff[0]["id"]
        day = (cls.anchor - timedelta(days=5)).isoformat()
        changes, tenant = [], cls.tenant
        for number, payload in enumerate(PAYLOADS):
            changes.append(
                tenant.apply(
                    {
                        "op": "create",
                        "service": service,
                        "start": f"{day}T{6 + number // 6:02}:{number % 6 * 10:02}:00Z",
                        "minutes": 10,
                        "price": "50.00",
                        "price_type": "fixedPrice",
                        "attendees": [{"name": payload, "email": f"p{number}@evil.example"}],
                        "label": payload,
                        "staff": [staff],
                    }
                )
            )
        cls.env["bookings.sandbox.change"].create(
            [{"connection_id": cls.connection.id, "change": change} for change in changes]
        )
        cls.setup.line_template = "{attendee}: {service} {label}"
        cls.sync()
        cls.hostile = cls.env["bookings.booking"].search(
            [("customer_id.email", "=like", "%@evil.example")]
        )


@tagged("post_install", "-at_install")
class TestInjection(InjectionCase):
    def test_all_of_them_are_customers(self):
        self.assertGreaterEqual(len(PAYLOADS), 50)
        self.assertEqual(len(self.hostile), len(PAYLOADS))

    def test_invoice_and_its_pages(self):
        """Line texts hold the words as they are, the printed invoice holds them escaped."""
        self.hostile.action_create_invoices()
        moves = self.hostile.move_ids
        moves.action_post()
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "account.report_invoice", moves.ids
        )
        page = html.decode()
        for payload in HTML:
            if "<" in payload:
                self.assertNotIn(payload, page)
        self.assertIn(str(escape(HTML[0])), page)
        names = moves.invoice_line_ids.mapped("name")
        staff = self.hostile.staff_ids.mapped("name")[0]
        for payload in TEMPLATES:
            self.assertTrue(any(payload in name for name in names), f"{payload} was expanded")
        self.assertFalse([name for name in names if staff in name or "49" in name])

    def test_chatter_escapes(self):
        """What the synchronization notes about a change that came late holds names and labels, escaped."""
        for booking in self.hostile[:5]:
            self.change(
                op="reprice",
                appointment=booking.appointment_id,
                price="60.00",
                price_type="fixedPrice",
            )
        self.sync()
        for booking in self.hostile:
            booking._message_log(body=self.env._("Customer: %s", booking.name))
        bodies = "".join(str(body) for body in self.hostile.message_ids.mapped("body"))
        for payload in HTML:
            if payload.startswith("<"):
                self.assertNotIn(payload, bodies)

    def test_no_field_from_bookings_is_html(self):
        for model in (
            "bookings.booking",
            "bookings.customer",
            "bookings.service",
            "bookings.staff",
            "bookings.sync.issue",
        ):
            html = [name for name, field in self.env[model]._fields.items() if field.type == "html"]
            self.assertEqual(
                [name for name in html if not name.startswith(("message_", "website_message"))], []
            )

    def test_names_that_travel_on(self):
        """Contacts made from them, and the lines of their invoices, begin like no formula."""
        self.hostile.action_create_invoices()
        texts = self.hostile.partner_id.mapped(
            "name"
        ) + self.hostile.move_ids.invoice_line_ids.mapped("name")
        self.assertFalse([text for text in texts if text[:1] in "=+-@\t\r"])
        self.assertEqual(plain_name("Anne-Marie +1"), "Anne-Marie +1")

    def test_export_data(self):
        names = ["name", "label", "customer_id/name", "attention_detail", "place", "amount"]
        rows = (
            self.hostile.export_data(names)["datas"]
            + self.hostile.customer_id.export_data(["name", "phone"])["datas"]
        )
        cells = [cell for row in rows for cell in row if isinstance(cell, str)]
        self.assertTrue([cell for cell in cells if MARK in cell])
        self.assertFalse(
            [cell for cell in cells if cell.lstrip()[:1] in "=+-@" and safe_cell(cell) != cell]
        )
        self.assertEqual(
            [
                safe_cell(value)
                for value in ("+45 12 34 56 78", "-12.50", "+1 guest", "@home", "Anna", 5.0, False)
            ],
            ["+45 12 34 56 78", "-12.50", "'+1 guest", "'@home", "Anna", 5.0, False],
        )


@tagged("post_install", "-at_install")
class TestInjectionOverHttp(InjectionCase, HttpCase):
    frozen = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.write({"login": "accountant", "password": "accountant"})

    def export(self, kind, groupby=()):
        self.authenticate("accountant", "accountant")
        names = ["name", "label", "display_name", "customer_id/name", "customer_id/phone"]
        answer = self.url_open(
            f"/web/export/{kind}",
            data={
                "data": json.dumps(
                    {
                        "model": "bookings.booking",
                        "fields": [{"name": name, "label": name, "type": "char"} for name in names],
                        "ids": self.hostile.ids,
                        "domain": [("id", "in", self.hostile.ids)],
                        "groupby": list(groupby),
                        "import_compat": False,
                    }
                ),
                "csrf_token": http.Request.csrf_token(self),
            },
        )
        self.assertEqual(answer.status_code, 200)
        return answer.content

    def test_csv(self):
        rows = list(csv.reader(io.StringIO(self.export("csv").decode("utf-8-sig"))))
        cells = [cell for row in rows[1:] for cell in row]
        self.assertEqual(len(rows) - 1, len(self.hostile))
        self.assertFalse(
            [
                cell
                for cell in cells
                if cell.lstrip()[:1] in tuple("=+-@") and safe_cell(cell) != cell
            ]
        )

    def test_xlsx(self):
        """No formula and no link in the sheet, grouped or not."""
        for groupby in ((), ("name",), ("label",), ("customer_id",)):
            with self.subTest(groupby=groupby):
                book = zipfile.ZipFile(io.BytesIO(self.export("xlsx", groupby)))
                sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
                tags = {element.tag.rpartition("}")[2] for element in sheet.iter()}
                self.assertNotIn("f", tags)
                self.assertNotIn("hyperlink", tags)

    def test_screens_run_nothing(self):
        """List, kanban, form and chatter of the web client show every payload and run none."""
        payload = self.hostile.filtered(lambda b: b.name == HTML[1])
        payload.message_post(body=payload.name)
        screens = {
            "/odoo/uninvoiced-bookings": ".o_list_view .o_data_row",
            "/odoo/uninvoiced-bookings?view_type=kanban": ".o_kanban_view .o_kanban_record",
            f"/odoo/bookings/{payload.id}": ".o_form_view .o-mail-Message",
        }
        browser = ChromeBrowser(self)
        with self.allow_requests(browser=browser):
            self.authenticate("accountant", "accountant", browser=browser)
            self.cr.flush()
            self.cr.clear()
            try:
                for path, selector in screens.items():
                    browser.navigate_to(self.base_url() + path)
                    self.assertTrue(
                        browser._wait_ready(f"!!document.querySelector({selector!r})"), path
                    )
                    answer = browser._websocket_request(
                        "Runtime.evaluate",
                        params={"expression": f"String(window.{MARK}) + document.body.innerText"},
                    )
                    shown = answer["result"]["value"]
                    self.assertTrue(shown.startswith("undefined"), path)
                self.assertIn(HTML[1], shown)
            finally:
                browser.stop()
            self._wait_remaining_requests()
