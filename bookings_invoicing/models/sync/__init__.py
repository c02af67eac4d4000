from . import (
    run,
    issue,
    schedule,
)
