"""How a lower room sets off work of higher ones, which it does not know.

What: a lower room announces a moment; rooms above it add steps, functions that follow, when they are imported.

How to use: ``BILLING_CHANGED(bookings)`` where it happens, ``@BILLING_CHANGED.step`` above the function that follows.

How it works: steps run at once, in this transaction, in the order of the rooms; an error in one ends them all, as
anywhere. A moment with more than one step is right only where their order does not matter.
"""


class Moment:
    """Something that happens in a lower room; calling it calls its steps with what is given."""

    def __init__(self):
        self._steps = []

    def step(self, function):
        """Add a step; for use as a decorator."""
        self._steps.append(function)
        return function

    def __call__(self, *args):
        for step in self._steps:
            step(*args)


# What decides how these bookings are billed may have changed. Of: bookings.
BILLING_CHANGED = Moment()
# These setups share the price of group appointments otherwise than before. Of: setups.
GROUP_PRICE_CHANGED = Moment()
# These services were ticked or unticked as billed here. Of: services.
SERVICES_TAKEN = Moment()
# Blockers of these bookings were looked for; a step may add more. Of: bookings, blockers by booking id.
BLOCKERS_FOUND = Moment()
# The scheduled action of every day. Of: the model it runs on.
EVERY_DAY = Moment()
