"""Settings of the server's operator, outside the database: access to Microsoft, keys for secrets, the monitor's token.

A setting is read from the environment, or else from the section ``[bookings_invoicing]`` of the server's
configuration file. We parse that file ourselves because Odoo warns about keys in ``[options]`` that it does not know.
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
    """Return the value of a server setting, or an empty string.

    :param name: name of the environment variable; the configuration file also accepts it in lower case
    """
    value = os.environ.get(name)
    if value is None:
        value = _file_section().get(name, "")
    return value.strip()


def cloud_settings():
    """Return the settings for reaching Microsoft as ``{name: value}``, without those that are not set."""
    return {key: value for key in CLOUD_KEYS if (value := read_setting(key))}


def is_health_token(given):
    """Return whether a monitor sent the token of this server. The comparison takes the same time for every token.

    It is False for every token if the server has none.
    """
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
        # Odoo reports such a file when it starts. The file may contain a key, so it is not quoted here.
        return {}
    return parser[SECTION] if parser.has_section(SECTION) else {}


def has_key():
    """Return whether this server encrypts secrets."""
    return bool(read_setting(SECRET_KEY))


def _keys():
    """Return the Fernet keys of the server, newest first.

    :raises SecretUnreadable: if one of them is not a Fernet key
    """
    keys = [key.strip() for key in read_setting(SECRET_KEY).split(",") if key.strip()]
    try:
        return [Fernet(key) for key in keys]
    except ValueError:
        raise SecretUnreadable(
            f"{SECRET_KEY} on the server contains something that is not a key"
        ) from None


def seal(secret):
    """Return the text to store for a secret: encrypted with the newest key, or marked as clear text without a key.

    :returns: False for an empty secret
    :raises SecretUnreadable: if the server's key is invalid; the secret must not be stored in clear text then
    """
    if not secret:
        return False
    keys = _keys()
    if not keys:
        return _CLEAR + secret
    return _ENCRYPTED + MultiFernet(keys).encrypt(secret.encode()).decode()


def unseal(stored):
    """Return a stored secret in clear text.

    :raises SecretUnreadable: if it was encrypted with a key that this server does not have
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
    """Return whether a stored secret is in clear text or encrypted with an older key although the server has a newer one.

    :raises SecretUnreadable: if one of the server's keys is invalid
    """
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
