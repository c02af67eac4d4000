from . import test_contract
from . import test_sync
from . import test_invoicing
from . import test_web_client
from . import test_companies
from . import test_setup_health
