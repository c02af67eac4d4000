from . import (
    booking,
    importing,
    reinstall,
    changes,
    pricing,
    blockers,
    attendance,
    undo,
    creating,
    proposal,
    res_partner,
)
