from . import (
    booking,
    importing,
    reinstall,
    following,
    pricing,
    blockers,
    attendance,
    proposal,
    res_partner,
)
