from . import (
    document,
    drafting,
    hints,
    run,
    run_left_out,
    confirming,
    undo,
    account_journal,
    account_move,
    account_move_line,
)
