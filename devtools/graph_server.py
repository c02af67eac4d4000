"""The sandbox tenant over HTTPS, for clients other than the addon's own in-process one."""

import argparse
import contextlib
import datetime
import importlib
import ipaddress
import subprocess
import sys
import types
from pathlib import Path

from .console import DevError, say
from .paths import REPO, cache

HOST = "127.0.0.1"


@contextlib.contextmanager
def running(env, port, *extra):
    """Serve a tenant in a process of its own.

    Yields the variables that point the addon's cloud "custom" at it. Raises DevError.
    """
    folder = cache() / "tls"
    command = [
        env.python,
        "-m",
        "devtools.graph_server",
        "--port",
        port,
        "--folder",
        folder,
        *extra,
    ]
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=REPO,
        env=env.variables(PYTHONUNBUFFERED=1),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if "ready" not in process.stdout.readline():
            raise DevError(f"the sandbox tenant did not start; is port {port} in use?")
        variables = {
            "BOOKINGS_GRAPH_URL": f"https://{HOST}:{port}/v1.0",
            "BOOKINGS_LOGIN_URL": f"https://{HOST}:{port}",
            "BOOKINGS_CA_BUNDLE": str(folder / "cert.pem"),
        }
        for name, value in variables.items():
            say(f"{name}={value}")
        yield variables
    finally:
        process.terminate()
        process.wait()


def main(argv=None):
    """Serve until ended; prints ``ready`` when the port is open."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int)
    options = parser.parse_args(argv)
    cert, key = certificate(options.folder)
    sandbox = plain_package("sandbox")
    tenant = sandbox.Tenant(seed=options.seed, anchor=datetime.date.today(), size=options.size)
    server = sandbox.serve(tenant, HOST, options.port, certfile=str(cert), keyfile=str(key))
    print("ready", flush=True)
    server.serve_forever()


def plain_package(name):
    """A part of the addon that needs no Odoo, imported without the addon's own ``__init__``."""
    addon = "bookings_invoicing"
    if addon not in sys.modules:
        package = types.ModuleType(addon)
        package.__path__ = [str(REPO / addon)]
        sys.modules[addon] = package
    return importlib.import_module(f"{addon}.{name}")


def certificate(folder):
    """Paths of a self-signed certificate for this machine and its key, made once."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    if cert_path.exists():
        return cert_path, key_path
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bookings sandbox")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_path.touch(mode=0o600)
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    cert_path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return cert_path, key_path


if __name__ == "__main__":
    sys.exit(main())
