import { Domain } from "@web/core/domain";
import { registry } from "@web/core/registry";
import { DomainField, domainField } from "@web/views/fields/domain/domain_field";

// A filter of a sync setup: it counts and lists the records of this setup only.
export class SetupDomainField extends DomainField {
    getEvaluatedDomain(props = this.props) {
        const domain = super.getEvaluatedDomain(props);
        if (domain.isInvalid) {
            return domain;
        }
        return Domain.and([domain, [["setup_id", "=", props.record.resId]]]).toList({});
    }
}

registry.category("fields").add("bookings_setup_domain", {
    ...domainField,
    component: SetupDomainField,
});
