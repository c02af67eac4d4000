from . import (
    booking,
    importing,
    reinstall,
    changes,
    pricing,
    blockers,
    attendance,
    change,
    proposal,
    res_partner,
)
