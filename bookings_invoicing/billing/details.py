"""Which details of a payer an invoice cannot do without; whatever else is missing is only a hint."""

from dataclasses import dataclass
from decimal import Decimal

from .money import ZERO, exact


@dataclass(frozen=True)
class PayerLook:
    """What a payer lacks, as names of fields.

    ``address``: of what an invoice usually shows. ``vat``: a business without tax ID. ``e_invoice``:
    what the payer's e-invoice format needs.
    """

    business: bool = False
    address: tuple[str, ...] = ()
    vat: bool = False
    e_invoice: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Everything that is missing, each once."""
        return tuple(
            dict.fromkeys((*self.address, *(("vat",) if self.vat else ()), *self.e_invoice))
        )


@dataclass(frozen=True)
class Policy:
    """A company's own rule. ``limit``: gross total above which an invoice needs its payer's address;
    0: none. ``business``: invoices to businesses always need address and tax ID.
    """

    limit: Decimal = ZERO
    business: bool = True


def detail_stops(
    payer: PayerLook, policy: Policy, total: Decimal | None = None
) -> dict[str, tuple[str, ...]]:
    """What must be there before the invoice: keys of ``status.ATTENTION_REASONS`` with the fields.

    ``total``: of the invoice, with tax, in the currency of the limit; ``None``: not looked at.

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
