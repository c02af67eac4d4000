from . import (
    booking,
    importing,
    reinstall,
    changes,
    pricing,
    blockers,
    attendance,
    undo,
    proposal,
    res_partner,
)
