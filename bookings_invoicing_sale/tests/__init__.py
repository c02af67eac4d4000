from . import test_order_credits, test_order_flow_switch, test_orders
