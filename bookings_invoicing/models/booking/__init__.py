from . import (
    booking,
    importing,
    reinstall,
    changes,
    pricing,
    blockers,
    attendance,
    proposal,
    res_partner,
)
