import { onWillUnmount } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { formView } from "@web/views/form/form_view";
import { FormController } from "@web/views/form/form_controller";

const LOOK_EVERY = 4000; // milliseconds

/** An invoice run that works in the background shows how far it is. */
export class BookingsRunFormController extends FormController {
    setup() {
        super.setup();
        const looking = browser.setInterval(() => {
            if (this.model.root?.data?.state === "queued") {
                this.model.load();
            }
        }, LOOK_EVERY);
        onWillUnmount(() => browser.clearInterval(looking));
    }
}

registry.category("views").add("bookings_run_form", {
    ...formView,
    Controller: BookingsRunFormController,
});
