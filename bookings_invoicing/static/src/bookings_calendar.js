import { deserializeDateTime, serializeDateTime } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { calendarView } from "@web/views/calendar/calendar_view";
import { CalendarModel } from "@web/views/calendar/calendar_model";

/** The calendar of bookings in the time of their business, like the list: Odoo's own shows the time of the user. */
export class BookingsCalendarModel extends CalendarModel {
    computeRangeDomain(data) {
        // what lies beside the period in the time of the user may lie inside it in the time of the business
        const { start, end } = data.range;
        const range = { start: start.minus({ days: 1 }), end: end.plus({ days: 1 }) };
        return super.computeRangeDomain({ ...data, range });
    }

    async fetchRecords(data) {
        const rows = await super.fetchRecords(data);
        const setups = await this.orm.searchRead(
            "bookings.sync.setup",
            [["id", "in", [...new Set(rows.map((row) => row.setup_id[0]))]]],
            ["tz"],
            { context: { active_test: false } }
        );
        const zones = Object.fromEntries(setups.map(({ id, tz }) => [id, tz]));
        return rows.map((row) => {
            const zone = zones[row.setup_id[0]];
            return { ...row, start: inTimeOf(zone, row.start), stop: inTimeOf(zone, row.stop) };
        });
    }
}

/** Move a time so that the user sees what the clock of the business shows. */
function inTimeOf(zone, text) {
    const moment = deserializeDateTime(text);
    const there = moment.setZone(zone || moment.zone);
    return there.isValid
        ? serializeDateTime(there.setZone(moment.zone, { keepLocalTime: true }))
        : text;
}

registry.category("views").add("bookings_calendar", {
    ...calendarView,
    Model: BookingsCalendarModel,
});
