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
            trigger: '.o_form_view button[name="action_checklist"]',
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
            content: "Back on the setup, whose filter counts its own services only",
            trigger: "body:not(:has(.modal)) .o_form_view .o_field_widget[name='service_filter']:contains('10 record')",
        },
    ],
});

const MOST = 18;
const click = (content, trigger) => ({ content, trigger, run: "click" });
const next = (words) => click(words, `.alert button[name='action_next_step']:contains('${words}')`);
const step = (name, button) => click(name, `${row(name)} button[name='${button}']`);
const done = (name) => ({ content: `${name} is done`, trigger: `${row(name)}:contains('Done')` });

// From the page that Odoo opens after "Activate" to the first drafts, with the sample data of the sandbox.
registry.category("web_tour.tours").add("bookings_first_hour", {
    url: "/odoo/bookings-start",
    steps: () => {
        const steps = [
            click("With sample data", ".o_field_widget[name='mode'] .o_radio_item:contains('Sandbox') input"),
            next("Test Connection"),
            next("Find Businesses"),
            click("This one", ".modal .o_data_row:contains('Harbour Street') button[name='action_use']"),
            next("Open Checklist"),
            done("Templates"), // proposed with the business
            step("Services to products", "action_do"),
            click("Accept all", ".modal button[name='action_accept_all']"),
            done("Services to products"),
            ...["Price and tax", "How to bill", "Bill from"].flatMap((name) => [
                step(name, "action_confirm"),
                done(name),
            ]),
            click("Synchronize", ".modal footer button[name='action_sync']"),
            click("What is ready", ".o_control_panel button:contains('Create Draft Invoices')"),
            { content: "The invoices are shown", trigger: ".modal .o_data_row", timeout: 60000 },
            click("Create the drafts", ".modal footer button[name='action_create']"),
            {
                content: "They are drafts",
                trigger: ".o_field_widget[name='move_ids'] .o_data_row:contains('Draft')",
                timeout: 60000,
            },
        ];
        const clicks = 1 + steps.filter((one) => one.run).length; // Activate
        if (clicks > MOST) {
            throw new Error(`The first drafts take ${clicks} clicks`);
        }
        console.info(`First drafts after ${clicks} clicks`);
        return steps;
    },
});
