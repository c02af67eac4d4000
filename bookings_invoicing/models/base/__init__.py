from . import (
    readable_links,
    bounded,
    responsible,
    remote_record,
    safe_export,
    account_tax,
)
