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
            content: "The run lists two drafts, each with its customer",
            trigger: ".o_field_widget[name='move_ids']:has(.o_data_row:nth-child(2)) .o_data_row:contains('Draft')",
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
            content: "The run lists the drafts",
            trigger: ".o_field_widget[name='move_ids'] .o_data_row:contains('Draft')",
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
// sent. Every step that runs something is a click; opening the app counts as one of the 18.
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
    {
        content: "They are drafts",
        trigger: ".o_field_widget[name='move_ids'] .o_data_row:contains('Draft')",
    },
    {
        content: "Confirm them and send them",
        trigger: ".o_statusbar_buttons button[name='action_post_and_send']",
        run: "click",
    },
    { content: "Send them", trigger: ".modal footer button[name='action_send_and_print']", run: "click" },
    { content: "The dialog is closed", trigger: "body:not(:has(.modal)) .o_form_view" },
];

registry.category("web_tour.tours").add("bookings_mixed_day", {
    url: "/odoo",
    steps: () => {
        const steps = mixedDay();
        const clicks = 1 + steps.filter((step) => step.run).length;
        if (clicks > 18) {
            throw new Error(`A mixed day takes ${clicks} clicks`);
        }
        return [...stepUtils.goToAppSteps("account.menu_finance", "Open Invoicing"), ...steps];
    },
});

// What Odoo's Invoicing role does from the overview: it sees neither the dashboard nor the configuration.
const openOverview = () => [
    ...stepUtils.goToAppSteps("account.menu_finance", "Open Invoicing"),
    {
        content: "Open the Customers menu",
        trigger: "[data-menu-xmlid='account.menu_finance_receivables']",
        run: "click",
    },
    {
        content: "Open the overview",
        trigger: "[data-menu-xmlid='bookings_invoicing.menu_overview']",
        run: "click",
    },
];

registry.category("web_tour.tours").add("bookings_clerk_day", {
    url: "/odoo",
    steps: () => [
        ...openOverview(),
        {
            content: "To what needs attention",
            trigger: ".o_kanban_record div[name='attention'] button",
            run: "click",
        },
        {
            content: "By reason",
            trigger: ".o_group_header:contains('Price Missing')",
            run: "click",
        },
        {
            content: "A price is typed in the row",
            trigger: ".o_data_row:contains('Price Missing') .o_data_cell[name='price_unit']",
            run: "click",
        },
        {
            content: "Type it",
            trigger: ".o_selected_row .o_field_widget[name='price_unit'] input",
            run: "edit 81.50 && press Enter",
        },
        {
            content: "It is told, with an Undo",
            trigger: ".o_notification:contains('81.50') button:contains('Undo')",
            run: "click",
        },
        { content: "It is undone", trigger: ".o_notification:contains('Undone')" },
        {
            content: "Back to the overview",
            trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item.o_back_button a",
            run: "click",
        },
        {
            content: "Preview what is ready",
            trigger: ".o_kanban_record div[name='ready'] button",
            run: "click",
        },
        {
            content: "Only what to check",
            trigger: ".modal .o_field_widget[name='only_serious'] input",
            run: "click",
        },
        {
            content: "The other rows are hidden",
            trigger: ".modal:not(:has(.o_field_widget[name='line_ids'])) .o_field_widget[name='serious_line_ids'] .o_data_row.text-warning",
        },
        {
            content: "All of them again",
            trigger: ".modal .o_field_widget[name='only_serious'] input",
            run: "click",
        },
        {
            content: "A row opens its bookings",
            trigger: ".modal .o_field_widget[name='line_ids'] .o_data_row:eq(0) .o_data_cell[name='payer_id']",
            run: "click",
        },
        {
            content: "They are listed",
            trigger: ".modal .o_field_widget[name='details']:contains('·')",
        },
        {
            content: "Close it",
            trigger: ".modal:has(.o_field_widget[name='details']) .modal-footer .o_form_button_cancel, .modal:has(.o_field_widget[name='details']) .btn-close",
            run: "click",
        },
        {
            content: "Create the drafts",
            trigger: ".modal footer button[name='action_create']",
            run: "click",
        },
        {
            content: "The run lists the drafts",
            trigger: ".o_field_widget[name='move_ids'] .o_data_row:contains('Draft')",
        },
    ],
});

// Credit and bill again: six clicks from the start page.
registry.category("web_tour.tours").add("bookings_credit_again", {
    url: "/odoo",
    steps: () => {
        const steps = [
            ...openOverview().slice(-2),
            {
                content: "To what changed since billing",
                trigger: ".o_kanban_record div[name='changed'] button",
                run: "click",
            },
            rowButton("action_bill_again", ""),
            {
                content: "The difference is shown",
                trigger: ".modal .o_field_widget[name='totals']:contains('difference')",
            },
            {
                content: "Credit and bill again",
                trigger: ".modal footer button[name='action_confirm']",
                run: "click",
            },
            {
                content: "The credit note and the new draft are listed",
                trigger: "body:not(:has(.modal)) .o_list_view:has(.o_data_row:nth-child(2)) .o_data_row:contains('Draft')",
            },
        ];
        const clicks = 1 + steps.filter((step) => step.run).length;
        if (clicks > 6) {
            throw new Error(`Credit and bill again takes ${clicks} clicks`);
        }
        return [...stepUtils.goToAppSteps("account.menu_finance", "Open Invoicing"), ...steps];
    },
});

const signOff = (business) => [
    { content: `The report of ${business}`, trigger: `.o_form_view .o_field_widget[name='setup_id']:contains('${business}')` },
    { content: "Sign off", trigger: ".o_statusbar_buttons button[name='action_ask_sign']", run: "click" },
    { content: "It says what is signed", trigger: ".modal .o_field_widget[name='sign_text']:contains('billed')" },
    { content: "Sign", trigger: ".modal footer button[name='action_sign']", run: "click" },
    { content: "Signed", trigger: "body:not(:has(.modal)) .o_form_view .o_field_widget[name='digest']" },
];

// The end of a month with two businesses: drafted, posted, and sent; both reports signed and printed as one PDF.
const monthEnd = () => [
    ...openOverview().slice(-2, -1),
    {
        content: "The uninvoiced bookings of both",
        trigger: "[data-menu-xmlid='bookings_invoicing.menu_uninvoiced']",
        run: "click",
    },
    { content: "They are there", trigger: ".o_list_view .o_data_row:contains('Ready')" },
    {
        content: "Preview what is ready",
        trigger: ".o_control_panel button:contains('Create Draft Invoices')",
        run: "click",
    },
    { content: "Create the drafts", trigger: ".modal footer button[name='action_create']", run: "click" },
    {
        content: "Confirm them and send them",
        trigger: ".o_statusbar_buttons button[name='action_post_and_send']",
        run: "click",
    },
    { content: "Send them", trigger: ".modal footer button[name='action_send_and_print']", run: "click" },
    { content: "The dialog is closed", trigger: "body:not(:has(.modal)) .o_form_view" },
    ...openOverview().slice(-2, -1),
    {
        content: "Completeness",
        trigger: "[data-menu-xmlid='bookings_invoicing.menu_completeness']",
        run: "click",
    },
    {
        content: "Last month of both",
        trigger: ".o_control_panel button[name='action_last_month']",
        run: "click",
    },
    {
        content: "Open the first one",
        trigger: ".o_list_view:has(.o_data_row:nth-child(2)) .o_data_row:eq(0) .o_data_cell[name='setup_id']",
        run: "click",
    },
    ...signOff("Clinic"),
    { content: "The next one", trigger: ".o_pager_next", run: "click" },
    { content: "It is another one", trigger: ".o_pager_value:contains('2')" },
    ...signOff("Clinic"),
    {
        content: "Back to both",
        trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item.o_back_button a",
        run: "click",
    },
    { content: "Both are signed", trigger: ".o_list_view:not(:has(.o_data_row .badge:contains('Not Signed Off')))" },
    ...selectAll(2),
    { content: "Print", trigger: ".o_cp_action_menus button:contains('Print')", run: "click" },
    {
        content: "One PDF for the auditor",
        trigger: ".o-dropdown--menu .o-dropdown-item:contains('Completeness of Bookings')",
        run: "click",
    },
    { content: "It is printed", trigger: "body:not(:has(.o_blockUI)) .o_list_view" },
];

registry.category("web_tour.tours").add("bookings_month_end", {
    url: "/odoo",
    steps: () => {
        const steps = monthEnd();
        const clicks = 1 + steps.filter((step) => step.run).length;
        if (clicks > 20) {
            throw new Error(`The end of a month of two businesses takes ${clicks} clicks`);
        }
        return [...stepUtils.goToAppSteps("account.menu_finance", "Open Invoicing"), ...steps];
    },
});

// A run that works in the background: the open form follows it without a click.
registry.category("web_tour.tours").add("bookings_queued_run", {
    steps: () => [
        {
            content: "It says that one may leave",
            trigger: ".o_form_view .alert:contains('created in the background')",
        },
        { content: "Nothing is done yet", trigger: ".o_field_widget[name='progress']:contains('0')" },
        { content: "Half is done", trigger: ".o_field_widget[name='progress']:contains('50')", timeout: 30000 },
        {
            content: "All is done: the drafts are listed",
            trigger: ".o_form_view:not(:has(.o_field_widget[name='progress'])) .o_field_widget[name='move_ids'] .o_data_row:contains('Draft')",
            timeout: 30000,
        },
    ],
});
