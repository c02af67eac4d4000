"""A certificate authority and a server certificate for a sandbox on a socket.

``cryptography`` is imported in the functions: only serving needs it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path
from typing import NamedTuple

_DAYS = 30


class CertificateFiles(NamedTuple):
    """Paths of PEM files; ``ca`` is what a client trusts (BOOKINGS_CA_BUNDLE)."""

    ca: Path
    certificate: Path
    key: Path


def make_certificates(folder, names=("localhost", "127.0.0.1", "::1"), now=None):
    """Write ca.pem, server.pem and server-key.pem (mode 600) to ``folder``.

    ``names`` are the host names and addresses of the server. Valid for 30 days from ``now`` (aware,
    default: the clock), and from a day before it. Existing files are replaced.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    now = now or dt.datetime.now(dt.timezone.utc)
    files = CertificateFiles(folder / "ca.pem", folder / "server.pem", folder / "server-key.pem")
    ca_key = ec.generate_private_key(ec.SECP256R1())
    server_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Bookings sandbox authority")
    ca_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(sign_certificates=True), critical=True)
        .add_extension(ca_id, critical=False)
        .sign(ca_key, _sha256())
    )
    alternatives = [_alternative(name) for name in names]
    server = (
        _builder(_name(str(names[0])), ca_name, server_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(sign_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_id), critical=False
        )
        .sign(ca_key, _sha256())
    )
    _write(files, ca, server, server_key)
    return files


def _sha256():
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


def _name(text: str):
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str):
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(sign_certificates: bool):
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(subject, issuer, public_key, now: dt.datetime):
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
    )


def _write(files: CertificateFiles, ca, server, server_key) -> None:
    from cryptography.hazmat.primitives import serialization

    pem = serialization.Encoding.PEM
    files.ca.write_bytes(ca.public_bytes(pem))
    files.certificate.write_bytes(server.public_bytes(pem))
    files.key.touch(mode=0o600)
    files.key.chmod(0o600)
    files.key.write_bytes(
        server_key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
