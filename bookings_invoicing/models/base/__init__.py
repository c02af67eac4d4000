from . import (
    readable_links,
    bounded,
    responsible,
    next_step,
    remote_record,
    safe_export,
    gross_price,
    rate_limit,
)
