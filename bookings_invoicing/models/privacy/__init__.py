from . import (
    forgetting,
    retention,
)
