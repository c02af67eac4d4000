"""Read a private key and its certificate from a PEM text or file that an administrator pastes or uploads."""

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from .errors import ConfigurationError

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----.+?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key (unencrypted PKCS#8 PEM) with the ``thumbprint`` (SHA-1 in uppercase hex, as in Entra) and expiry date
    of its certificate.
    """

    private_key: str
    thumbprint: str
    not_after: datetime

    def __repr__(self):
        return f"<KeyPair {self.thumbprint}>"


def read_key_pair(pem: str, passphrase: str | None = None) -> KeyPair:
    """Return the key of a PEM text and its certificate, in any order and among several certificates.

    Raises ConfigurationError: certificate_missing, key_missing, key_unreadable, key_mismatch.
    """
    blocks = [(match[1], match[0].encode()) for match in _BLOCK.finditer(pem or "")]
    keys = [block for name, block in blocks if name.endswith("PRIVATE KEY")]
    certificates = [block for name, block in blocks if name == "CERTIFICATE"]
    if not keys:
        raise ConfigurationError(kind="key_missing")
    if not certificates:
        raise ConfigurationError(kind="certificate_missing")
    key = _load_key(keys[0], passphrase)
    public = _public_bytes(key.public_key())
    for block in certificates:
        certificate = _load_certificate(block)
        if _public_bytes(certificate.public_key()) == public:
            return KeyPair(
                _plain(key),
                certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 (Entra's name of a certificate)
                _not_after(certificate),
            )
    raise ConfigurationError(kind="key_mismatch")


def pem_of_file(content: bytes, passphrase: str | None = None) -> str:
    """Return the unencrypted PEM text (key, then certificates) of an uploaded PEM or PFX/PKCS#12 file.

    Raises ConfigurationError: key_unreadable, key_missing, certificate_missing, key_mismatch.
    """
    if b"-----BEGIN" in content:
        return plain_pem(content.decode("utf-8", "replace"), passphrase)
    try:
        key, certificate, _more = pkcs12.load_key_and_certificates(
            content, passphrase.encode() if passphrase else None
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(kind="key_unreadable") from None
    if key is None:
        raise ConfigurationError(kind="key_missing")
    if certificate is None:
        raise ConfigurationError(kind="certificate_missing")
    return _plain(key) + certificate.public_bytes(serialization.Encoding.PEM).decode()


def plain_pem(pem: str, passphrase: str | None = None) -> str:
    """Return the PEM text with the private key decrypted, so that the passphrase need not be stored.

    Raises ConfigurationError like ``read_key_pair``.
    """
    pair = read_key_pair(pem, passphrase)
    certificates = [match[0] for match in _BLOCK.finditer(pem) if match[1] == "CERTIFICATE"]
    return pair.private_key + "\n".join(certificates) + "\n"


def _plain(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _load_key(block: bytes, passphrase: str | None):
    encrypted = b"ENCRYPTED" in block[:200]
    try:
        return serialization.load_pem_private_key(
            block, (passphrase or "").encode() if encrypted else None
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(kind="key_unreadable") from None


def _load_certificate(block: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block)
    except ValueError:
        raise ConfigurationError(kind="certificate_missing") from None


def _not_after(certificate: x509.Certificate) -> datetime:
    try:
        return certificate.not_valid_after_utc
    except AttributeError:  # cryptography < 42
        return certificate.not_valid_after.replace(tzinfo=timezone.utc)


def _public_bytes(key) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
