"""Rules for prices, dates, payers, and texts of bookings, without I/O.

Nothing here uses the ORM, Microsoft Graph, or the clock. Arguments and results are plain values: money is ``Decimal``,
and times are UTC (naive means UTC, as Odoo stores it). Sentences are :class:`~.sentences.Explanation` objects, which the
caller translates.

=============== =======================================================================
``money``       half-up rounding of exact rationals, division to the cent
``price``       price type x rule x duration -> quantity, unit price, amount, explanation
``period``      the business's local day, months, invoice dates, next run
``text``        line templates, their variant without names, safe spreadsheet cells
``grouping``    which bookings share an invoice, and what never does
``matching``    email addresses, attendee keys, partners, phone numbers
``countries``   the country that a free text names
``status``      the status of a booking and why it needs attention
``labels``      label rules
``fees``        late cancellations, fees
``removals``    how many appointments may be missing
``questions``   answers of the booking form -> fields, filled or proposed
``details``     payer details that an invoice requires
``hints``       hints in the preview
``rehearsal``   comparison of a rehearsed month with its posted invoices
``windows``     periods to read
``both_ways``   three-way merge of values in Odoo and in Bookings
``digest``      digests to compare before writing
``sentences``   every English sentence of this package, by code
=============== =======================================================================
"""
