from . import (
    test_order_country,
    test_order_credits,
    test_order_flow_labels,
    test_order_flow_states,
    test_order_flow_switch,
    test_order_portal,
    test_order_property,
    test_orders,
)
from . import test_order_sealed
