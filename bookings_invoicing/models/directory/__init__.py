from . import (
    service,
    staff,
    customer,
    forgotten,
    res_partner,
)
