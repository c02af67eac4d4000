import { registry } from "@web/core/registry";

const row = (text) => `.modal .o_data_row:contains("${text}")`;

registry.category("web_tour.tours").add("bookings_going_live", {
    url: "/odoo/bookings-health",
    steps: () => [
        {
            content: "The health board lists the setup",
            trigger: '.o_list_view .o_data_row:contains("Harbour Street Clinic") .o_data_cell[name="name"]',
            run: "click",
        },
        {
            content: "Open its checklist",
            trigger: 'button[name="action_checklist"]',
            run: "click",
        },
        {
            content: "Services have no product yet",
            trigger: `${row("Services to products")}:contains("To do") button[name="action_do"]`,
            run: "click",
        },
        {
            content: "Accept all",
            trigger: '.modal button[name="action_accept_all"]',
            run: "click",
        },
        {
            content: "The step is done",
            trigger: `${row("Services to products")}:contains("Done")`,
        },
        {
            content: "Price and tax are right",
            trigger: `${row("Price and tax")} button[name="action_confirm"]`,
            run: "click",
        },
        {
            content: "Done, too; rehearse now",
            trigger: `${row("Price and tax")}:contains("Done")`,
        },
        {
            content: "Rehearse",
            trigger: `${row("Bill from")} button[name="action_do"]`,
            run: "click",
        },
        {
            content: "Payers are compared",
            trigger: '.modal .o_field_widget[name="line_ids"] .o_data_row:contains("Only From Bookings")',
        },
        {
            content: "Bill from this day",
            trigger: '.modal button[name="action_go_live"]',
            run: "click",
        },
        {
            content: "Back on the setup",
            trigger: "body:not(:has(.modal)) .o_form_view",
        },
    ],
});
