from . import (
    connection,
    secret,
    credential,
    check,
    sign_in,
    expiry,
    sandbox_change,
)
