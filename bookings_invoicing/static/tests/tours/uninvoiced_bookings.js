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
            content: "The buttons leave room for the title",
            trigger: ".o_control_panel button[name='action_no_show']",
            run() {
                const buttons = document.querySelectorAll(".o_control_panel button[name]");
                if (buttons.length > 3) {
                    throw new Error(`${buttons.length} buttons`);
                }
            },
        },
        {
            content: "Preview what is selected, by the keyboard",
            trigger: ".o_control_panel button[data-hotkey='q']:contains('Create Draft Invoices')",
            run: "press Alt+q",
        },
        {
            content: "It says so",
            trigger: ".modal .o_field_widget[name='scope']:contains('Selected bookings: 2')",
        },
        {
            content: "Create the drafts",
            trigger: ".modal footer button[name='action_create']:contains('Create Draft Invoices (2)')",
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

const rowButton = (name, row) => ({
    content: `${name} in a row`,
    trigger: `.o_data_row${row} button[name='${name}']`,
    run: "click",
});
const selectAll = (count) => [
    {
        content: "Select all",
        trigger: ".o_list_view thead .o_list_record_selector input",
        run: "click",
    },
    { content: "All are selected", trigger: `.o_selection_box:contains('${count}')` },
];

// A mixed day: 1 changed after billing, 3 unknown customers, 2 no-shows, 1 not billed; 3 bookings to invoice; posted and
// sent. Every step that runs something is a click; opening the app counts as one of the 22.
const mixedDay = () => [
    {
        content: "From the card of the sales journal to what changed since it was billed",
        trigger: ".o_kanban_record a[name='action_open_changed_bookings']",
        run: "click",
    },
    rowButton("action_update_draft", ""),
    { content: "Nothing is left", trigger: ".o_list_view:not(:has(.o_data_row .fa-refresh))" },
    {
        content: "Back to the dashboard",
        trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item.o_back_button a",
        run: "click",
    },
    {
        content: "To the uninvoiced bookings",
        trigger: ".o_kanban_record a[name='action_open_uninvoiced_bookings']",
        run: "click",
    },
    ...["Nora Newcomer", "Nils Newcomer", "Nina Newcomer"].flatMap((name) => [
        rowButton("action_create_customer", `:contains('${name}')`),
        { content: `${name} is ready`, trigger: `.o_data_row:contains('${name}'):contains('Ready')` },
    ]),
    ...["Nils Newcomer", "Nina Newcomer"].flatMap((name) => [
        rowButton("action_no_show", `:contains('${name}')`),
        { content: `${name} left`, trigger: `.o_list_view:not(:has(.o_data_row:contains('${name}')))` },
    ]),
    {
        content: "Not Billable, in the row",
        trigger: ".o_data_row:contains('To Waive') button:has(.fa-ban)",
        run: "click",
    },
    { content: "The reason", trigger: ".modal button[name='action_confirm']:contains('Waived')", run: "click" },
    { content: "It left", trigger: "body:not(:has(.modal)) .o_list_view:not(:has(.o_data_row:contains('To Waive')))" },
    ...selectAll(3),
    { content: "They came", trigger: ".o_control_panel button[name='action_came']", run: "click" },
    {
        content: "Preview what is ready",
        trigger: ".o_control_panel button:contains('Create Draft Invoices')",
        run: "click",
    },
    { content: "Create the drafts", trigger: ".modal footer button[name='action_create']", run: "click" },
    { content: "They are drafts", trigger: ".o_list_view .o_data_row:contains('Draft')" },
    ...selectAll(3),
    { content: "The actions of Odoo", trigger: ".o_cp_action_menus button:contains('Actions')", run: "click" },
    { content: "Confirm", trigger: ".o-dropdown--menu .o-dropdown-item:contains('Confirm Entries')", run: "click" },
    { content: "They are posted", trigger: ".o_list_view .o_data_row:contains('Posted'), .o_list_view .o_data_row:contains('Not Paid')" },
    ...selectAll(3),
    { content: "Send", trigger: ".o_control_panel button[name='action_send_and_print']", run: "click" },
    { content: "Send them", trigger: ".modal footer button[name='action_send_and_print']", run: "click" },
    { content: "The dialog is closed", trigger: "body:not(:has(.modal)) .o_list_view" },
];

registry.category("web_tour.tours").add("bookings_mixed_day", {
    url: "/odoo",
    steps: () => {
        const steps = mixedDay();
        const clicks = 1 + steps.filter((step) => step.run).length;
        if (clicks > 22) {
            throw new Error(`A mixed day takes ${clicks} clicks`);
        }
        return [...stepUtils.goToAppSteps("account.menu_finance", "Open Invoicing"), ...steps];
    },
});
