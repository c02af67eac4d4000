from . import (
    run,
    issue,
    outbox,
    schedule,
)
