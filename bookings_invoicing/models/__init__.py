from . import (
    base,
    connection,
    setup,
    directory,
    booking,
    invoicing,
    sync,
    completeness,
    privacy,
    golive,
)
