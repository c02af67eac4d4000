"""Exact amounts: half-up rounding of rationals, and division to the cent.

Amounts are ``Decimal``. Values without an exact decimal (a third of an hour) are ``Fraction`` until they are rounded
once. Floats are refused. Convert the values of Odoo's fields with :func:`decimal_of`.
"""

from collections.abc import Hashable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

Number = Decimal | Fraction | int
ZERO = Decimal(0)
ONE = Decimal(1)
_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)


def decimal_of(value: float | int | str | Decimal) -> Decimal:
    """Return the decimal that a float field displays. Raises ``ValueError`` unless it is a finite number.

    >>> decimal_of(0.1), decimal_of("60.00"), decimal_of(7)
    (Decimal('0.1'), Decimal('60.00'), Decimal('7'))
    """
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except ArithmeticError:
        raise ValueError(f"not a number: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    return number


def exact(value: Number) -> Fraction:
    """Return ``value`` as a rational. Raises ``TypeError`` for floats, because their errors can change a cent.

    >>> exact(Decimal("0.25"))
    Fraction(1, 4)
    """
    if isinstance(value, float):
        raise TypeError("an exact number is needed: convert floats with decimal_of()")
    return Fraction(value)


def round_half_up(value: Number, digits: int = 2, step: Decimal | None = None) -> Decimal:
    """Round half away from zero to ``digits`` decimals, or to multiples of ``step``.

    ``step`` is for currencies whose smallest amount is not a power of ten (a rounding of 0.05).

    >>> round_half_up(Fraction(1, 3)), round_half_up(Decimal("2.675"))
    (Decimal('0.33'), Decimal('2.68'))
    >>> round_half_up(Decimal("-0.5"), 0)
    Decimal('-1')
    >>> round_half_up(Decimal("7.43"), 2, Decimal("0.05"))
    Decimal('7.45')
    """
    if isinstance(value, Decimal) and _is_plain(value) and (not step or step == _unit(digits)):
        rounded = _WIDE.quantize(value, _unit(digits))  # same result, several times faster
        return rounded if rounded else abs(rounded)
    quantum = exact(step) if step else Fraction(1, 10**digits)
    ratio = exact(value) / quantum
    count = (2 * abs(ratio.numerator) + ratio.denominator) // (2 * ratio.denominator)
    cents = quantum * (count if ratio >= 0 else -count) * 10**digits
    if cents.denominator != 1:
        raise ValueError(f"a step of {step} needs more than {digits} decimals")
    return Decimal(f"{cents.numerator}E-{digits}")


@lru_cache(maxsize=64)
def _unit(digits: int) -> Decimal:
    return Decimal(f"1E-{digits}")


def _is_plain(value: Decimal) -> bool:
    return value.is_finite() and value.adjusted() < 40


def exact_decimal(value: Number, digits: int) -> Decimal | None:
    """Return ``value`` as a decimal with ``digits`` places, or None if that is not exact.

    >>> exact_decimal(Fraction(3, 4), 2), exact_decimal(Fraction(1, 3), 2)
    (Decimal('0.75'), None)
    """
    if isinstance(value, int):
        return Decimal(f"{value * 10**digits}E-{digits}")
    scaled = exact(value) * 10**digits
    return Decimal(f"{scaled.numerator}E-{digits}") if scaled.denominator == 1 else None


def share_out(
    total: Decimal,
    parts: int,
    digits: int = 2,
    fixed: Mapping[int, Decimal] | None = None,
    step: Decimal | None = None,
) -> tuple[Decimal, ...]:
    """Divide ``total`` among ``parts`` attendees, so that the sum of the shares is exact to the cent.

    The first attendees get the remaining cents. ``fixed`` has the shares, by position, that are already billed and do not
    change; the other attendees share the rest. If the fixed shares exceed the total, the others get 0. Only then, or if
    all shares are fixed, the sum can differ from ``total``.

    >>> share_out(Decimal("100"), 3)
    (Decimal('33.34'), Decimal('33.33'), Decimal('33.33'))
    >>> share_out(Decimal("100"), 4, fixed={1: Decimal("50.00")})
    (Decimal('16.67'), Decimal('50.00'), Decimal('16.67'), Decimal('16.66'))
    """
    fixed = dict(fixed or {})
    if parts < 1 or total < 0:
        raise ValueError("share_out needs at least one part and a total that is not negative")
    if any(position not in range(parts) for position in fixed):
        raise ValueError("a fixed share lies outside the parts")
    open_parts = [position for position in range(parts) if position not in fixed]
    rest = exact(round_half_up(total, digits, step)) - sum(map(exact, fixed.values()))
    quantum = exact(step) if step else Fraction(1, 10**digits)
    units = max(rest / quantum, Fraction(0))
    whole, extra = divmod(units.numerator // units.denominator, len(open_parts) or 1)
    shares = dict(fixed)
    for rank, position in enumerate(open_parts):
        shares[position] = round_half_up(quantum * (whole + (rank < extra)), digits)
    return tuple(shares[position] for position in range(parts))


def share_by_key(
    total: Decimal,
    keys: Sequence[Hashable],
    digits: int = 2,
    fixed: Mapping[Hashable, Decimal] | None = None,
    step: Decimal | None = None,
) -> dict[Hashable, Decimal]:
    """Do the same as :func:`share_out` by key (attendee keys, record IDs).

    Keys of ``fixed`` that are not in ``keys`` count, too, because the others do not owe a share that was billed to a
    removed attendee.

    >>> share_by_key(Decimal("90"), ["a", "b"], fixed={"gone": Decimal("30.00")})
    {'a': Decimal('30.00'), 'b': Decimal('30.00')}
    """
    fixed = fixed or {}
    everyone = list(keys) + [key for key in fixed if key not in keys]
    places = {position: fixed[key] for position, key in enumerate(everyone) if key in fixed}
    shares = share_out(total, len(everyone), digits, places, step)
    return dict(zip(keys, shares, strict=False))
