from . import (
    booking,
    importing,
    reinstall,
    changes,
    pricing,
    blockers,
    attendance,
    ask_staff,
    undo,
    creating,
    proposal,
    res_partner,
)
