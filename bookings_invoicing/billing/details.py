"""Payer details that an invoice requires. All other missing details are only hints."""

from dataclasses import dataclass
from decimal import Decimal

from .money import ZERO, exact


@dataclass(frozen=True)
class PayerLook:
    """The details that a payer lacks, as field names.

    ``address``: missing fields of the address. ``vat``: whether a business has no tax ID. ``e_invoice``: missing fields
    that the payer's e-invoice format requires.
    """

    business: bool = False
    address: tuple[str, ...] = ()
    vat: bool = False
    e_invoice: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """All missing fields, without duplicates."""
        return tuple(
            dict.fromkeys((*self.address, *(("vat",) if self.vat else ()), *self.e_invoice))
        )


@dataclass(frozen=True)
class Policy:
    """The policy of a company. ``limit``: gross total above which an invoice requires the payer's address, or 0 for no
    limit. ``business``: whether invoices to businesses always require address and tax ID.
    """

    limit: Decimal = ZERO
    business: bool = True


def detail_stops(
    payer: PayerLook, policy: Policy, total: Decimal | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the missing details that prevent the invoice, as ``{key of status.ATTENTION_REASONS: fields}``.

    ``total`` is that of the invoice with tax, in the currency of the limit, or None to ignore the limit.

    >>> person = PayerLook(address=("street", "city"))
    >>> detail_stops(person, Policy(limit=Decimal(250)), Decimal(250))
    {}
    >>> detail_stops(person, Policy(limit=Decimal(250)), Decimal("250.01"))
    {'address': ('street', 'city')}
    >>> detail_stops(PayerLook(business=True, vat=True), Policy())
    {'vat': ('vat',)}
    """
    over = bool(policy.limit) and total is not None and exact(total) > exact(policy.limit)
    stops = {}
    if over or (payer.business and policy.business):
        if payer.address:
            stops["address"] = payer.address
        if payer.vat:
            stops["vat"] = ("vat",)
    if payer.e_invoice:
        stops["e_invoice"] = payer.e_invoice
    return stops
