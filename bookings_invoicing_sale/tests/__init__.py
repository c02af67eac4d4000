from . import test_orders
from . import test_order_credits
from . import test_order_flow_switch
