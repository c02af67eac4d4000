"""Proposes a product for each service that has none, by name."""

from difflib import SequenceMatcher

SIMILAR_ENOUGH = 0.8
CLEARLY_BETTER = 0.1


def product_proposals(setup):
    """Return the proposed products of services without one.

    :returns: ``[(service, product or empty recordset, "same" | "similar" | "none")]``
    """
    setup.ensure_one()
    services = setup._services_to_map().filtered(lambda service: not service.product_id)
    products = setup.env["product.product"].search(
        [
            *setup.env["product.product"]._check_company_domain(setup.company_id),
            ("sale_ok", "=", True),
            ("type", "=", "service"),
        ]
    )
    return [(service, *best_named(service.name, products)) for service in services]


def best_named(name, records):
    """Find the record with the same name, or else the one whose name is clearly the most similar.

    :returns: ``(record, "same" | "similar")``, or ``(empty recordset, "none")`` if the choice is ambiguous
    """
    name = _plain(name)
    named = [(_plain(record.name), record) for record in records]
    same = [record for other, record in named if other == name]
    if same:
        return (same[0], "same") if len(same) == 1 else (records[:0], "none")
    scores = sorted(
        ((SequenceMatcher(None, name, other).ratio(), record) for other, record in named),
        key=lambda pair: -pair[0],
    )
    if not scores or scores[0][0] < SIMILAR_ENOUGH:
        return records[:0], "none"
    if len(scores) > 1 and scores[0][0] - scores[1][0] < CLEARLY_BETTER:
        return records[:0], "none"
    return scores[0][1], "similar"


def _plain(text):
    return " ".join((text or "").split()).casefold()
