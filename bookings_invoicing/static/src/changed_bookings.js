import { registry } from "@web/core/registry";
import { formView } from "@web/views/form/form_view";
import { FormController } from "@web/views/form/form_controller";
import { listView } from "@web/views/list/list_view";
import { ListController } from "@web/views/list/list_controller";

const READING_TIME = 10000; // milliseconds

/** What a click or a typed value has changed, as a notification with its buttons: Odoo's own has none. */
export function tellChange(env, action) {
    const { title, message, buttons, next } = action.params;
    const close = env.services.notification.add(message, {
        title,
        type: "success",
        autocloseDelay: READING_TIME,
        buttons: buttons.map(({ name, model, method, id }) => ({
            name,
            onClick: async () => {
                close();
                const answer = await env.services.orm.call(model, method, [[id]]);
                await env.services.action.doAction(answer);
                if (answer.tag === "bookings_changed") {
                    await env.services.action.doAction("soft_reload");
                }
            },
        })),
    });
    return next;
}

registry.category("actions").add("bookings_changed", tellChange);

async function tellLatest({ env, orm }) {
    const action = await orm.call("bookings.change", "latest", []);
    if (action) {
        tellChange(env, action);
    }
}

export class BookingsListController extends ListController {
    get modelParams() {
        const params = super.modelParams;
        params.hooks.onSavedMulti = () => tellLatest(this);
        return params;
    }

    async onRecordSaved() {
        await super.onRecordSaved(...arguments);
        await tellLatest(this);
    }
}

export class BookingsFormController extends FormController {
    async onRecordSaved() {
        await super.onRecordSaved(...arguments);
        await tellLatest(this);
    }
}

registry.category("views").add("bookings_list", { ...listView, Controller: BookingsListController });
registry.category("views").add("bookings_form", { ...formView, Controller: BookingsFormController });
