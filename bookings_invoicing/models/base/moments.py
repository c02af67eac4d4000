"""Moments: events of a lower room to which higher rooms react, without imports from low to high.

A lower room announces a moment. Higher rooms add steps (functions) to it when they are imported.

How to use: call ``BILLING_CHANGED(bookings)`` where it happens; decorate the reacting function with
``@BILLING_CHANGED.step``.

How it works: the steps run immediately, in the same transaction, in the order of the rooms. An exception in a step
is raised to the caller. A moment may have several steps only if their order does not matter.
"""


class Moment:
    """An event of a lower room. Calling it calls each of its steps with the same arguments."""

    def __init__(self):
        self._steps = []

    def step(self, function):
        """Add a function as a step and return it, for use as a decorator."""
        self._steps.append(function)
        return function

    def __call__(self, *args):
        for step in self._steps:
            step(*args)


# Something that determines how these bookings are billed may have changed. Argument: bookings.
BILLING_CHANGED = Moment()
# These setups now apply the price of group appointments differently. Argument: setups.
GROUP_PRICE_CHANGED = Moment()
# "Billed Here" was set or cleared on these services. Argument: services.
SERVICES_TAKEN = Moment()
# The blockers of these bookings were collected; a step may add more. Arguments: bookings, blockers by booking id.
BLOCKERS_FOUND = Moment()
# Invoices of these bookings were confirmed, credited, canceled, reopened, or removed. Argument: bookings.
INVOICES_CHANGED = Moment()
# Contacts were created, or values of theirs changed that Bookings may have, too. Argument: contacts.
CONTACTS_CHANGED = Moment()
# Products were created, or values of theirs changed that Bookings may have, too. Argument: product templates.
PRODUCTS_CHANGED = Moment()
# These customers or services have values in Odoo that differ from those in Bookings. Argument: customers or services.
TO_WRITE = Moment()
# The daily scheduled action runs. Argument: the model on which it runs.
EVERY_DAY = Moment()
