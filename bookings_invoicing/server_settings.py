"""What the server's operator decides, outside the database: clouds of their own and keys for secrets.

The environment comes first, then the section ``[bookings_invoicing]`` of the server's configuration file. The
file is read by our own parser because Odoo warns of keys it does not know in ``[options]``.
"""

import configparser
import os

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.tools import config

SECTION = "bookings_invoicing"
SECRET_KEY = "BOOKINGS_SECRET_KEY"
CLOUD_KEYS = ("BOOKINGS_GRAPH_URL", "BOOKINGS_LOGIN_URL", "BOOKINGS_CA_BUNDLE")
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
    """The settings of the cloud "custom" as a dict; empty when the operator has set none."""
    return {key: value for key in CLOUD_KEYS if (value := read_setting(key))}


def _file_section():
    parser = configparser.RawConfigParser()
    path = config["config"] if "config" in config.options else None
    if not path or not os.path.isfile(path):
        return {}
    parser.read(path, encoding="utf-8")
    return parser[SECTION] if parser.has_section(SECTION) else {}


def has_key():
    """Whether secrets are encrypted on this server."""
    return bool(_fernet())


def _fernet():
    keys = [key.strip() for key in read_setting(SECRET_KEY).split(",") if key.strip()]
    return MultiFernet([Fernet(key) for key in keys]) if keys else None


def seal(secret):
    """The secret as it is stored: encrypted with the newest key, or marked as clear where there is no key."""
    if not secret:
        return False
    fernet = _fernet()
    if fernet is None:
        return _CLEAR + secret
    return _ENCRYPTED + fernet.encrypt(secret.encode()).decode()


def unseal(stored):
    """The secret in clear.

    :raises SecretUnreadable: it was encrypted with a key that this server does not have
    """
    if not stored:
        return ""
    if stored.startswith(_CLEAR):
        return stored[len(_CLEAR) :]
    fernet = _fernet()
    try:
        return fernet.decrypt(stored[len(_ENCRYPTED) :].encode()).decode()
    except (AttributeError, InvalidToken) as error:
        raise SecretUnreadable from error
