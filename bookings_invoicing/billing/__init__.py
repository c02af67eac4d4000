"""What a booking costs, when, for whom and in which words: rules without I/O.

Nothing here knows the ORM, Microsoft Graph or the clock. Facts come in as plain values, money as
``Decimal``, moments as UTC (naive means UTC, as Odoo stores it), and the answers go out the same
way. Sentences go out as :class:`~.sentences.Explanation`, so that the caller can translate them.

=============== =======================================================================
``money``       half-up rounding on exact rationals, sharing out to the cent
``price``       price type x rule x duration -> quantity, unit price, amount, explanation
``period``      the business's local day, months, invoice dates, next run
``text``        line templates, the discreet variant, safe spreadsheet cells
``grouping``    which bookings share an invoice, and what never does
``matching``    e-mails, attendee keys, partners, countries, phone numbers
``status``      the one status of a booking and why it needs attention
``labels``      label rules
``fees``        late cancellations, fees
``removals``    how many appointments may be missing
``questions``   answers of the booking form -> fields, filled or proposed
``details``     what an invoice must know of its payer
``hints``       what a second pair of eyes would notice in the preview
``windows``     which time to read
``digest``      compare before write
``sentences``   every English sentence of this package, by code
=============== =======================================================================
"""
