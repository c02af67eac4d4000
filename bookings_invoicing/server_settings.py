"""What the server's operator decides, outside the database: the way to Microsoft, keys for secrets, who may watch.

The environment comes first, then the section ``[bookings_invoicing]`` of the server's configuration file. The
file is read by our own parser because Odoo warns of keys it does not know in ``[options]``.
"""

import configparser
import contextlib
import hmac
import os

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.tools import config

SECTION = "bookings_invoicing"
SECRET_KEY = "BOOKINGS_SECRET_KEY"
CLOUD_KEYS = (
    "BOOKINGS_GRAPH_URL",
    "BOOKINGS_LOGIN_URL",
    "BOOKINGS_CA_BUNDLE",
    "BOOKINGS_HTTPS_PROXY",
)
HEALTH_TOKEN = "BOOKINGS_HEALTH_TOKEN"
_ENCRYPTED, _CLEAR = "fernet:", "clear:"


class SecretUnreadable(Exception):
    """A stored secret cannot be decrypted with the keys of this server."""


def read_setting(name):
    """The value of a server setting, or an empty string.

    :param name: the name as in the environment; the configuration file accepts it in lower case too
    """
    value = os.environ.get(name)
    if value is None:
        value = _file_section().get(name, "")
    return value.strip()


def cloud_settings():
    """How this server reaches Microsoft, as a dict; empty when the operator has set nothing."""
    return {key: value for key in CLOUD_KEYS if (value := read_setting(key))}


def is_health_token(given):
    """Whether a monitor's token is the one of this server; never where none is set. Takes the same time for any token."""
    token = read_setting(HEALTH_TOKEN)
    same = hmac.compare_digest(token.encode(), (given or "").encode("utf-8", "replace"))
    return bool(token) and same


def _file_section():
    path = config["config"]
    if not path or not os.path.isfile(path):
        return {}
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        # Odoo has complained of such a file at its start; its text may hold a key, so it is not quoted here
        return {}
    return parser[SECTION] if parser.has_section(SECTION) else {}


def has_key():
    """Whether secrets are encrypted on this server."""
    return bool(read_setting(SECRET_KEY))


def _keys():
    """The Fernet keys, newest first.

    :raises SecretUnreadable: one of them is no key
    """
    keys = [key.strip() for key in read_setting(SECRET_KEY).split(",") if key.strip()]
    try:
        return [Fernet(key) for key in keys]
    except ValueError:
        raise SecretUnreadable(
            f"{SECRET_KEY} on the server contains something that is not a key"
        ) from None


def seal(secret):
    """The secret as it is stored: encrypted with the newest key, or marked as clear where there is no key.

    :raises SecretUnreadable: the server's key is no key; the secret must not be stored in clear then
    """
    if not secret:
        return False
    keys = _keys()
    if not keys:
        return _CLEAR + secret
    return _ENCRYPTED + MultiFernet(keys).encrypt(secret.encode()).decode()


def unseal(stored):
    """The secret in clear.

    :raises SecretUnreadable: it was encrypted with a key that this server does not have
    """
    if not stored:
        return ""
    if stored.startswith(_CLEAR):
        return stored[len(_CLEAR) :]
    keys = _keys()
    if keys:
        with contextlib.suppress(InvalidToken):
            return MultiFernet(keys).decrypt(stored[len(_ENCRYPTED) :].encode()).decode()
    raise SecretUnreadable("the secret was encrypted with a key that this server does not have")


def needs_reseal(stored):
    """Whether a stored secret is in clear, or under an older key, although the server has a newer one."""
    keys = _keys()
    if not stored or not keys:
        return False
    if stored.startswith(_CLEAR):
        return True
    try:
        keys[0].decrypt(stored[len(_ENCRYPTED) :].encode())
    except InvalidToken:
        return True
    return False
