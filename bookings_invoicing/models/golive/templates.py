"""Creates the templates of new customers and products for users who have none."""


def make_templates(setup):
    """Set missing templates, from the company's other setups or new ones, and turn on both imports."""
    setup.ensure_one()
    setup.check_access("write")
    as_sync = setup._for_sync()
    setup.write(
        {
            "customer_sync": _on(setup.customer_sync),
            "customer_template_id": (
                as_sync.customer_template_id
                or _of_others(as_sync, "customer_template_id")
                or _customer_template(as_sync)
            ).id,
            "service_sync": _on(setup.service_sync),
            "service_template_id": (
                as_sync.service_template_id
                or _of_others(as_sync, "service_template_id")
                or _service_template(as_sync)
            ).id,
        }
    )


def _on(direction):
    return "import" if direction == "off" else direction


def _of_others(setup, name):
    """Return the template that another setup of the company uses, or used until it was archived.

    :param str name: field of the template
    """
    others = setup.with_context(active_test=False).search(
        [("company_id", "=", setup.company_id.id), (f"{name}.active", "=", True)]
    )
    return others[:1][name]


def _customer_template(setup):
    return setup.env["res.partner"].create(
        {
            "name": setup.env._("Bookings Customer Template"),
            "company_id": setup.company_id.id,
            "lang": setup.language_id.code,
        }
    )


def _service_template(setup):
    """Create a service with the company's default sales tax, which Odoo sets on every new product."""
    return setup.env["product.template"].create(
        {
            "name": setup.env._("Bookings Service Template"),
            "type": "service",
            "company_id": setup.company_id.id,
        }
    )
