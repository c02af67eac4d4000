from . import (
    readable_links,
    bounded,
    responsible,
    next_step,
    imported,
    remote_record,
    safe_export,
    gross_price,
    rate_limit,
)
