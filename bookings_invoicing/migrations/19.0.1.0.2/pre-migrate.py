"""Delete views that were merged into other views of this addon. They refer to buttons that no longer exist."""

MERGED = (
    "booking_view_form_sync",
    "booking_view_list_sync",
    "booking_view_search_sync",
    "bookings_customer_view_form_privacy",
    "res_config_settings_view_form_flow",
    "sync_setup_view_form_checklist",
    "sync_setup_view_form_flow",
    "sync_setup_view_form_options",
    "sync_setup_view_form_privacy",
    "sync_setup_view_form_rehearsal",
    "view_partner_form_options",
)


def migrate(cr, version):
    cr.execute(
        "DELETE FROM ir_model_data WHERE module = 'bookings_invoicing' AND model = 'ir.ui.view' AND name IN %s"
        " RETURNING res_id",
        [MERGED],
    )
    views = tuple(view for (view,) in cr.fetchall())
    if views:
        cr.execute("DELETE FROM ir_ui_view WHERE id IN %s", [views])
