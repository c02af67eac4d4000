import { registry } from "@web/core/registry";
import { rpc } from "@web/core/network/rpc";
import { stepUtils } from "@web_tour/tour_utils";

const TOWNS = ["Aarhus", "Basel", "Cork", "Dresden"];
const MOST = 69;

const click = (content, trigger) => ({ content, trigger, run: "click" });
const see = (content, trigger) => ({ content, trigger });
const step = (name, button) => `.modal .o_data_row:contains('${name}') button[name='${button}']`;
const done = (name) => see(`${name} is done`, `.modal .o_data_row:contains('${name}'):contains('Done')`);

const rehearseAndGoLive = () => [
    click("Rehearse", step("Bill from", "action_do")),
    see("Payers are compared", ".modal .o_field_widget[name='line_ids'] .o_data_row"),
    click("Print it for sign-off", ".modal button[name='action_print']"),
    click("Bill from this day", ".modal button[name='action_go_live']:enabled"),
    see("Closed", "body:not(:has(.modal))"),
];

const firstCompany = () => [
    click("Configuration", "[data-menu-xmlid='account.menu_finance_configuration']"),
    click("Connections", "[data-menu-xmlid='bookings_invoicing.menu_connection']"),
    click("New", ".o_list_button_add"),
    { content: "Its name", trigger: ".o_field_widget[name='name'] input", run: "edit Five Clinics" },
    { content: "For every company", trigger: ".o_field_widget[name='company_id'] input", run: "clear" },
    // Stands for tenant, client and secret, which are pasted.
    click("With sample data", ".o_field_widget[name='mode'] .o_radio_item:contains('Sandbox') input"),
    click("Save", ".o_form_button_save"),
    click("Test", "button[name='action_test']"),
    click("Find the businesses", ".o_form_view button[name='action_find_businesses'].btn-primary"),
    click("With a template of its own", ".modal .o_field_widget[name='import_missing'] input"),
    click("The first one", ".modal .o_data_row:contains('Harbour Street') button[name='action_use']"),
    click("Take over customers", ".o_field_widget[name='customer_sync'] .o_radio_item:contains('Import') input"),
    {
        content: "From a template",
        trigger: ".o_field_widget[name='customer_template_id'] input",
        run: "edit Customer of Bookings",
    },
    click("This one", ".o-autocomplete--dropdown-item:contains('Customer of Bookings')"),
    click("Its checklist", "button[name='action_checklist']"),
    click("Products for the services", step("Services to products", "action_do")),
    click("Accept all", ".modal button[name='action_accept_all']"),
    done("Services to products"),
    click("Price and tax are right", step("Price and tax", "action_confirm")),
    done("Price and tax"),
    click("By the month", ".modal .o_field_widget[name='preset'] .o_radio_item:contains('month') input"),
    click("Bill this way", ".modal button[name='action_use_preset']"),
    done("How to bill"),
    ...rehearseAndGoLive(),
];

const exported = () => [
    click("Actions", ".o_cp_action_menus button"),
    click("Export to a file", ".o-dropdown--menu .o-dropdown-item:contains('Export to File')"),
];

const allCompanies = () => [
    click("Companies", ".o_switch_company_menu button"),
    ...TOWNS.map((town) =>
        click(town, `.o_switch_company_item:contains('${town}') [role='menuitemcheckbox']`)
    ),
    {
        ...click("Confirm", ".o_switch_company_menu_buttons button:contains('Confirm')"),
        expectUnloadPage: true,
    },
    see("All are on", ".o_form_view .o_field_widget[name='company_id']"),
];

// What the browser has saved of the export; the tour cannot see its folder.
const chooseFile = {
    content: "Choose the file",
    trigger: ".modal .o_field_widget[name='content'] input.o_input_file:not(:visible)",
    async run({ anchor }) {
        const [setup] = await rpc("/web/dataset/call_kw/bookings.sync.setup/search_read", {
            model: "bookings.sync.setup",
            method: "search_read",
            args: [[["name", "ilike", "Harbour"]], ["id"]],
            kwargs: {},
        });
        const { url } = await rpc("/web/dataset/call_kw/bookings.sync.setup/action_export_file", {
            model: "bookings.sync.setup",
            method: "action_export_file",
            args: [[setup.id]],
            kwargs: {},
        });
        const files = new DataTransfer();
        files.items.add(new File([await (await fetch(url)).blob()], "setup.json"));
        anchor.files = files.files;
        anchor.dispatchEvent(new Event("change", { bubbles: true }));
    },
};

const fromFile = () => [
    click("Configuration", "[data-menu-xmlid='account.menu_finance_configuration']"),
    click("Setup from a file", "[data-menu-xmlid='bookings_invoicing.menu_setup_file']"),
    ...TOWNS.map((town) =>
        see(`${town}'s company is proposed`, `.modal .o_data_row:contains('${town}@'):contains('${town} Clinic Ltd')`)
    ),
    chooseFile,
    see("It is there", ".modal .o_field_widget[name='content']:contains('setup.json'), .modal .o_field_widget[name='content'] input:value('setup.json')"),
    click("Show the differences", ".modal button[name='action_preview']"),
    see("Grouping", ".modal .o_field_widget[name='line_ids'] .o_data_row:contains('One per customer and month')"),
    click("Apply", ".modal button[name='action_apply']"),
    ...TOWNS.map((town) => see(`${town} is on the board`, `.o_list_view .o_data_row:contains('${town} Clinic')`)),
];

const nextCompany = (town) => [
    click("Its checklist", `.o_list_view .o_data_row:contains('${town} Clinic') button[name='action_checklist']`),
    see("What the file says is settled", ".modal .o_data_row:contains('How to bill'):contains('Done')"),
    click("The service that the first one has not", step("Services to products", "action_do")),
    see("A product of its name", ".modal .o_data_row:contains('Evening clinic')"),
    click("Accept all", ".modal button[name='action_accept_all']"),
    done("Services to products"),
    ...rehearseAndGoLive(),
];

registry.category("web_tour.tours").add("bookings_five_companies", {
    url: "/odoo",
    steps: () => {
        const steps = [
            ...firstCompany(),
            ...exported(),
            ...allCompanies(),
            ...fromFile(),
            ...TOWNS.flatMap(nextCompany),
        ];
        const clicks = 1 + steps.filter((one) => one.run).length;
        if (clicks > MOST) {
            throw new Error(`Five companies take ${clicks} clicks`);
        }
        return [...stepUtils.goToAppSteps("account.menu_finance", "Open Invoicing"), ...steps];
    },
});
