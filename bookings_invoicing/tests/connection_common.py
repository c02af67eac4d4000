import datetime as dt
import itertools
import os
import time
from unittest.mock import patch

import requests
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from .. import sandbox
from ..models.connection.connection import BookingsConnection
from .common import BookingsCase

KEY, OLD_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()


class LiveCase(BookingsCase):
    """A live connection of the cloud "custom", whose hosts the sandbox tenant answers below ``requests``.

    ``cls.app`` is that tenant: ``app.login`` its users and secrets, ``app.faults.journal`` every request it got.
    """

    key = KEY

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(
            patch.dict(
                os.environ,
                {
                    "BOOKINGS_GRAPH_URL": sandbox.GRAPH_URL,
                    "BOOKINGS_LOGIN_URL": sandbox.LOGIN_URL,
                    "BOOKINGS_SECRET_KEY": cls.key,
                },
            )
        )
        # the clock of these tests, frozen or not, a little later each time: no two tokens are the same
        ticks = itertools.count()
        cls.app = sandbox.make_app(cls.tenant, clock=lambda: time.time() + next(ticks))
        sandboxed = BookingsConnection._session

        def session(connection):
            return cls._live_session() if connection.mode == "live" else sandboxed(connection)

        cls.startClassPatcher(patch.object(BookingsConnection, "_session", session))
        cls.live = cls.env["bookings.connection"].create(
            {
                "name": "Live",
                "mode": "live",
                "cloud": "custom",
                "tenant_id": sandbox.TENANT_ID,
                "client_id": sandbox.CLIENT_ID,
                "client_secret": sandbox.CLIENT_SECRET,
                "company_id": cls.company.id,
            }
        )

    def setUp(self):
        super().setUp()
        # secrets and states live in transactions of their own: let those be part of the test's
        if not type(self)._registry_patched:
            mode = self.enter_registry_test_mode()
            mode.__enter__()
            self.addCleanup(mode.__exit__, None, None, None)

    @classmethod
    def _live_session(cls):
        session = requests.Session()
        session.trust_env = False
        sandbox.mount(session, cls.app)
        return session

    def results(self, connection=None):
        """The checklist as ``{step: result}``."""
        return {check.step: check.result for check in (connection or self.live).check_ids}


def make_certificate(passphrase=None):
    """``(PEM with key and certificate, SHA-1 thumbprint, PFX bytes)`` of a fresh certificate that lasts a year."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bookings")])
    now = dt.datetime(2026, 1, 1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    text = (
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption)
        + certificate.public_bytes(pem)
    ).decode()
    pfx = serialization.pkcs12.serialize_key_and_certificates(
        b"bookings", key, certificate, None, encryption
    )
    return text, certificate.fingerprint(hashes.SHA1()).hex().upper(), pfx
