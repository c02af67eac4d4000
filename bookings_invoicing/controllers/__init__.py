from . import health, oauth
