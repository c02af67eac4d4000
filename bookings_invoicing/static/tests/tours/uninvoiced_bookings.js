import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

registry.category("web_tour.tours").add("bookings_uninvoiced", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("account.menu_finance", "Open Invoicing"),
        {
            content: "Open the Customers menu",
            trigger: "[data-menu-xmlid='account.menu_finance_receivables']",
            run: "click",
        },
        {
            content: "Open Uninvoiced Bookings",
            trigger: "[data-menu-xmlid='bookings_invoicing.menu_uninvoiced']",
            run: "click",
        },
        {
            content: "Select the first booking",
            trigger: ".o_data_row:contains('Ready'):eq(0) .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Select the second booking",
            trigger: ".o_data_row:contains('Ready'):eq(1) .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Two are selected",
            trigger: ".o_selection_box:contains('2')",
        },
        {
            content: "Create the drafts",
            trigger: "button[name='action_create_invoices']",
            run: "click",
        },
        {
            content: "The drafts are listed, each with its customer",
            trigger: ".o_breadcrumb:contains('Invoices')",
        },
        {
            content: "Two drafts",
            trigger: ".o_list_view:has(.o_data_row:nth-child(2)) .o_data_row:contains('Draft')",
        },
    ],
});

// A clean day: everything is ready, and three clicks make the drafts.
registry.category("web_tour.tours").add("bookings_clean_day", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("account.menu_finance", "Open Invoicing"),
        {
            content: "Preview what is ready, from the card of the sales journal",
            trigger: ".o_kanban_record a:contains('Create Draft Invoices')",
            run: "click",
        },
        {
            content: "The invoices are shown as they will be; create them",
            trigger: ".modal .o_data_row",
        },
        {
            content: "Create the drafts",
            trigger: ".modal footer button.btn-primary:visible",
            run: "click",
        },
        {
            content: "The drafts are listed",
            trigger: ".o_breadcrumb:contains('Invoices')",
        },
        {
            content: "They are drafts",
            trigger: ".o_list_view .o_data_row:contains('Draft')",
        },
    ],
});
