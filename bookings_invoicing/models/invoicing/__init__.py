from . import (
    document,
    drafting,
    hints,
    run,
    run_left_out,
    confirming,
    sending,
    undo,
    account_journal,
    account_move,
    sending_outcome,
    account_move_line,
)
