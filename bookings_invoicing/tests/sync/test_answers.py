from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import BookingsCase

SECRET = "allergic to walnuts"
GOOD = {
    "company_name": "Contoso ApS",
    "vat": "DK12345674",
    "reference": "PO 7",
    "billing_email": "accounts@contoso.example",
    "gln": "5790000435043",
    "peppol": "0088:5790000435043",
    "leitweg_id": "04011000-1234512345-06",
}
OTHER = {
    "company_name": "Fabrikam GmbH",
    "vat": "DE123456788",
    "reference": "PO 8",
    "billing_email": "bills@fabrikam.example",
    "gln": "4012345000009",
    "peppol": "9930:DE123456788",
    "leitweg_id": "991-01234TEST-34",
}


@tagged("post_install", "-at_install")
class TestSyncAnswers(BookingsCase):
    """Answers of the booking form: they fill what is empty, are proposed where it is not, and are kept nowhere else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()
        cls.booking = cls.env["bookings.booking"].search(
            [
                ("setup_id", "=", cls.setup.id),
                ("status", "=", "ready"),
                ("customer_id.email", "!=", False),
                ("customer_id.in_directory", "=", True),
            ]
        )[:1]
        cls.partner = cls.booking.partner_id
        cls.partner.country_id = False  # or Odoo derives an electronic address from it
        cls.env["bookings.question.rule"].sudo().create(
            [
                {"setup_id": cls.setup.id, "question": field, "question_id": field, "field": field}
                for field in GOOD
            ]
            + [{"setup_id": cls.setup.id, "question": "Diet", "question_id": "diet"}]
        )

    def _answer(self, booking=None, **answers):
        """The attendee answers, and the setup synchronizes."""
        booking = booking or self.booking
        customer = booking.customer_id
        attendee = {
            "@odata.type": "#microsoft.graph.bookingCustomerInformation",
            "customerId": customer.remote_id,
            "name": customer.name,
            "emailAddress": customer.email,
            "phone": customer.phone or None,
            "customQuestionAnswers": [
                {"questionId": field, "question": field, "answer": text, "selectedOptions": []}
                for field, text in answers.items()
            ],
        }
        self.change(op="corrupt", record=booking.appointment_id, set={"customers": [attendee]})
        run = self.sync()
        issues = self.env["bookings.sync.issue"].search([("setup_id", "=", self.setup.id)])
        self.assertEqual(run.state, "done", issues.mapped("reason"))

    def _held(self):
        return self.partner._answer_values() | self.booking._answer_values()

    def _proposed(self, **facts):
        return self.env["bookings.proposal"].search(
            [("setup_id", "=", self.setup.id), *((k, "=", v) for k, v in facts.items())]
        )

    def _kept_in(self, text):
        """Tables and columns that hold the text anywhere."""
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT table_name, column_name FROM information_schema.columns c JOIN information_schema.tables t
                 USING (table_schema, table_name)
                WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
                  AND data_type IN ('character varying', 'text', 'jsonb')
                  AND (table_name LIKE 'bookings%' OR table_name IN ('res_partner', 'mail_message'))
                  AND table_name != 'bookings_sandbox_change'"""
        )
        found = []
        for table, column in self.env.cr.fetchall():
            self.env.cr.execute(
                f'SELECT 1 FROM "{table}" WHERE "{column}"::text LIKE %s LIMIT 1', [f"%{text}%"]
            )
            if self.env.cr.fetchone():
                found.append((table, column))
        return found

    def test_empty_fields_are_filled(self):
        for field in GOOD:
            if field in ("peppol", "leitweg_id"):
                continue
            with self.subTest(field):
                self._answer(**{field: GOOD[field]})
                self.assertEqual(self._held()[field], GOOD[field])
        self.assertFalse(self._proposed())

    def test_electronic_addresses_share_one_field(self):
        """A Peppol address fills it; a Leitweg-ID given later is proposed, not written over it; accepted, it is."""
        if "peppol_endpoint" not in self.partner._fields:
            self.skipTest("no installed module keeps electronic addresses")
        self._answer(peppol=GOOD["peppol"])
        self.assertEqual(
            (self.partner.peppol_eas, self.partner.peppol_endpoint), ("0088", "5790000435043")
        )
        self._answer(leitweg_id=GOOD["leitweg_id"])
        self.assertEqual(self.partner.peppol_eas, "0088")
        proposal = self._proposed(field="leitweg_id")
        self.assertEqual((proposal.current, proposal.state), (GOOD["peppol"], "open"))
        proposal.action_accept()
        self.assertEqual(
            (self.partner.peppol_eas, self.partner.peppol_endpoint), ("0204", GOOD["leitweg_id"])
        )

    def test_what_is_held_is_never_overwritten(self):
        """It is proposed once, however often it comes; dismissed it stays away; accepted it is written."""
        fields = [field for field in GOOD if field not in ("peppol", "leitweg_id")]
        self._answer(**{field: GOOD[field] for field in fields})
        held = self._held()
        for field in fields:
            with self.subTest(field):
                self._answer(**{field: OTHER[field]})
                self.assertEqual(self._held(), held)
                proposal = self._proposed(field=field)
                self.assertEqual(
                    (proposal.current, proposal.proposed, proposal.state),
                    (held[field], OTHER[field], "open"),
                )
                self.assertTrue(proposal.why)
                proposal.action_dismiss()
                self._answer(**{field: OTHER[field], "diet": "none"})
                self._answer(**{field: OTHER[field]})
                self.assertEqual(self._proposed(field=field), proposal)
                self.assertEqual(self._held(), held)
        for field in fields:
            with self.subTest(accepted=field):
                proposal = self._proposed(field=field)
                proposal.state = "open"
                proposal.action_accept()
                self.assertEqual(self._held()[field], OTHER[field])
                self._answer(**{field: OTHER[field]})
                self.assertEqual(self._proposed(field=field), proposal)

    def test_company_name_of_an_employee_is_the_companys(self):
        company = self.env["res.partner"].create({"name": "Old name", "is_company": True})
        self.partner.parent_id = company
        self._answer(company_name="New name")
        self.assertEqual(company.name, "Old name")
        self._proposed(field="company_name").action_accept()
        self.assertEqual(company.name, "New name")

    def test_nonsense_is_proposed_with_its_reason(self):
        """Also what only Odoo's own check of the field refuses; the appointment itself comes through."""
        self._answer(vat="none", gln="123", billing_email="a@b, c@d")
        self.assertEqual(set(self._proposed().mapped("field")), {"vat", "gln", "billing_email"})
        self.assertFalse(self.partner.vat)
        if "peppol_endpoint" in self.partner._fields:
            self._answer(peppol="0208:12", leitweg_id="")
            self.assertFalse(self.partner.peppol_endpoint)
            self.assertEqual(self._proposed(field="peppol").proposed, "0208:12")

    def test_two_answers_to_one_field_are_both_proposed(self):
        self.setup.question_rule_ids.filtered(lambda rule: rule.field == "vat").field = "reference"
        self._answer(reference="PO 1", vat="PO 2")
        self.assertFalse(self.booking.reference)
        self.assertEqual(set(self._proposed().mapped("proposed")), {"PO 1", "PO 2"})

    def test_without_a_customer_answers_wait(self):
        """What the person answered is not lost while nobody has said who it is in Odoo."""
        customer = self.booking.customer_id
        self.env["res.partner"].create({"name": "Namesake", "email": customer.email})
        customer.partner_id = False
        self._answer(vat=GOOD["vat"])
        self.assertFalse(self.booking.partner_id)
        proposal = self._proposed(field="vat")
        with self.assertRaises(UserError):
            proposal.action_accept()
        customer.partner_id = self.partner
        proposal.action_accept()
        self.assertEqual(self.partner.vat, GOOD["vat"])

    def test_billed_bookings_keep_their_reference(self):
        """An answer that comes after the draft is proposed: the document has its reference."""
        self.booking.action_create_invoices()
        self.assertEqual(self.booking.status, "drafted")
        self._answer(reference="PO 9")
        self.assertFalse(self.booking.reference)
        self.assertEqual(self._proposed(field="reference").proposed, "PO 9")

    def test_billing_address_is_the_companys_own(self):
        """The invoice address made from an answer is of the customer's company; the customer's own e-mail needs none."""
        self._answer(billing_email=self.partner.email.upper())
        self.assertFalse(self.partner.child_ids)
        self._answer(billing_email=GOOD["billing_email"])
        address = self.partner.child_ids
        self.assertEqual((address.type, address.company_id), ("invoice", self.partner.company_id))

    def test_other_answers_and_notes_are_kept_nowhere(self):
        """Neither with the booking nor with a record that was set aside."""
        self._answer(diet=SECRET, reference="PO 7")
        self.assertEqual(self.booking.reference, "PO 7")
        self.assertEqual(self._kept_in(SECRET), [])
        self.assertTrue(self._kept_in("PO 7"), "the search must find what is kept")
        attendee = {
            "customerId": self.booking.customer_id.remote_id,
            "name": "Ann",
            "notes": SECRET,
        }
        attendee["customQuestionAnswers"] = [
            {
                "questionId": "diet",
                "question": "Diet",
                "answer": SECRET,
                "selectedOptions": [SECRET],
            }
        ]
        self.change(
            op="corrupt",
            record=self.booking.appointment_id,
            set={"customers": [attendee], "customerNotes": SECRET, "price": "abc"},
        )
        self.assertEqual(self.sync().state, "partial")
        issue = self.env["bookings.sync.issue"].search([("setup_id", "=", self.setup.id)])
        self.assertIn("Ann", issue.payload)
        self.assertEqual(self._kept_in(SECRET), [])
