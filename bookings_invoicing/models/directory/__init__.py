from . import (
    kept_same,
    service,
    staff,
    customer,
    both_ways,
    service_both_ways,
    product,
    forgotten,
    res_partner,
)
