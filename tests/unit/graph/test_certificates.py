"""Signing in with a certificate: what may be pasted, and what is sent."""

import base64
import datetime
import functools
import hashlib
import json
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from bookings_invoicing import graph
from bookings_invoicing.graph import AuthError, ConfigurationError

from .servers import CLIENT, TENANT, TOKEN, answer, oauth_error

NOT_AFTER = datetime.datetime(2031, 5, 1, tzinfo=datetime.timezone.utc)


def make_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bookings Invoicing")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(datetime.datetime(2025, 5, 1)).not_valid_after(NOT_AFTER)
    return builder.sign(key, hashes.SHA256())


def pem(item, passphrase=None, form=serialization.PrivateFormat.PKCS8):
    if isinstance(item, x509.Certificate):
        return item.public_bytes(serialization.Encoding.PEM).decode()
    protection = serialization.NoEncryption()
    if passphrase:
        protection = serialization.BestAvailableEncryption(passphrase.encode())
    return item.private_bytes(serialization.Encoding.PEM, form, protection).decode()


@pytest.fixture(scope="module")
def key():
    return make_key()


@pytest.fixture(scope="module")
def certificate(key):
    return make_certificate(key)


@functools.cache
def another_key():
    return make_key()


def pair_of(text, passphrase=None):
    return graph.Certificate(TENANT, CLIENT, text, passphrase).key_pair()


OLD_FORM = serialization.PrivateFormat.TraditionalOpenSSL


@pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(lambda key, cert: pem(key) + pem(cert), id="key first"),
        pytest.param(lambda key, cert: pem(cert) + pem(key), id="certificate first"),
        pytest.param(
            lambda key, cert: "Bag Attributes\n  friendlyName: x\n" + pem(cert) + "\n\n" + pem(key),
            id="with other text",
        ),
        pytest.param(
            lambda key, cert: pem(make_certificate(another_key())) + pem(cert) + pem(key),
            id="a chain",
        ),
        pytest.param(
            lambda key, cert: pem(key, None, OLD_FORM) + pem(cert),
            id="traditional key",
        ),
        pytest.param(lambda key, cert: (pem(key) + pem(cert)).replace("\n", "\r\n"), id="CRLF"),
    ],
)
def test_what_may_be_pasted(key, certificate, arrange):
    """The thumbprint is the one that Entra shows; the end of validity is told."""
    pair = pair_of(arrange(key, certificate))
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert pair.thumbprint == hashlib.sha1(der).hexdigest().upper()
    assert pair.not_after == NOT_AFTER


def test_with_a_passphrase(key, certificate):
    text = pem(key, "open sesame") + pem(certificate)
    assert "ENCRYPTED" in text
    assert (
        pair_of(text, "open sesame").thumbprint == pair_of(pem(key) + pem(certificate)).thumbprint
    )
    for wrong in ("close sesame", "", None):
        with pytest.raises(ConfigurationError) as caught:
            pair_of(text, wrong)
        assert caught.value.kind == "key_unreadable"
        assert "sesame" not in str(caught.value)


def test_a_passphrase_that_is_not_needed(key, certificate):
    assert pair_of(pem(key) + pem(certificate), "unused").thumbprint


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "key_missing"),
        ("nonsense", "key_missing"),
        ("CERTIFICATE", "key_missing"),
        ("KEY", "certificate_missing"),
        ("OTHER KEY CERTIFICATE", "key_mismatch"),
        ("BROKEN KEY CERTIFICATE", "key_unreadable"),
        ("KEY BROKEN CERTIFICATE", "certificate_missing"),
    ],
)
def test_what_is_wrong_is_named(key, certificate, text, kind):
    broken = "-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n"
    text = {
        "CERTIFICATE": pem(certificate),
        "KEY": pem(key),
        "OTHER KEY CERTIFICATE": pem(another_key()) + pem(certificate),
        "BROKEN KEY CERTIFICATE": broken.format("PRIVATE KEY") + pem(certificate),
        "KEY BROKEN CERTIFICATE": pem(key) + broken.format("CERTIFICATE"),
    }.get(text, text)
    with pytest.raises(ConfigurationError) as caught:
        pair_of(text)
    assert caught.value.kind == kind


def test_sign_in(server, make_transport, key, certificate):
    """A signed assertion that names the certificate is sent, and neither key nor secret."""
    transport = make_transport()
    credential = graph.Certificate(TENANT, CLIENT, pem(key, "sesame") + pem(certificate), "sesame")
    assert graph.token_source(transport.cloud, transport, credential).token() == TOKEN
    body = server.seen("/oauth2/v2.0/token")[0].body.decode()
    sent = parse_qs(body)
    header = sent["client_assertion"][0].split(".")[0]
    header = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    digest = hashlib.sha1(certificate.public_bytes(serialization.Encoding.DER)).digest()
    assert header["x5t"].rstrip("=") == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert "client_secret" not in sent and "PRIVATE" not in body


def test_unknown_to_the_tenant(server, make_transport, key, certificate):
    server.on("/oauth2/v2.0/token", answer(oauth_error("invalid_client", 700027), 401))
    transport = make_transport()
    credential = graph.Certificate(TENANT, CLIENT, pem(key) + pem(certificate))
    with pytest.raises(AuthError) as caught:
        graph.token_source(transport.cloud, transport, credential).token()
    assert caught.value.kind == "certificate_unknown"


def test_nothing_of_the_key_is_shown(key, certificate):
    credential = graph.Certificate(TENANT, CLIENT, pem(key) + pem(certificate), "sesame")
    shown = repr(credential) + str(credential) + repr(credential.key_pair())
    assert "PRIVATE" not in shown and "sesame" not in shown
    assert CLIENT in repr(credential)
