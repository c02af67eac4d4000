from . import (
    run,
    issue,
    outbox,
    both_ways,
    schedule,
    ask_staff,
)
