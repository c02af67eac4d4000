from . import (
    connection,
    secret,
    credential,
    check,
    sign_in,
    expiry,
    foreign_database,
    sandbox_change,
)
