"""Units of measure: tell hours from pieces."""

from ...billing import price


def hour_id(env):
    return env["ir.model.data"]._xmlid_to_res_id("uom.product_uom_hour")


def piece_id(env):
    return env["ir.model.data"]._xmlid_to_res_id("uom.product_uom_unit")


def list_unit(uom, hour):
    """Return how a unit of measure converts to hours or pieces.

    :param int hour: id of the unit *hour*
    :returns: ``("hour" or "unit", size in hours or pieces)``; for all other units ``(name of the unit, 1)``
    """
    for name, base in (("hour", hour), ("unit", piece_id(uom.env))):
        base = uom.browse(base)
        if base and uom._has_common_reference(base):
            return name, price.size_of_unit(uom.factor / base.factor)
    return uom.display_name, 1
