from . import (
    service,
    staff,
    customer,
    both_ways,
    forgotten,
    res_partner,
)
