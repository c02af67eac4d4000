from . import (
    report,
    source,
)
