"""The Microsoft clouds that offer Bookings, and a cloud that the server's operator can configure.

Host names: Graph "National cloud deployments" page. China (21Vianet) has no Bookings.

>>> CLOUDS["global"].graph_url
'https://graph.microsoft.com/v1.0'
>>> CLOUDS["dod"].resource
'https://dod-graph.microsoft.us'
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .errors import ConfigurationError

# Addresses that two URL parsers could interpret differently are refused.
_URL = re.compile(r"https://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([1-9][0-9]{0,4}))?([/?][!-~]*)?")
_CHINA = (".chinacloudapi.cn", ".partner.microsoftonline.cn", ".azure.cn")
_PROXY = re.compile(
    r"https?://(?:[!-.0-9;=A-_a-~]+(?::[!-.0-9;=A-_a-~]*)?@)?[A-Za-z0-9.-]+(?::[1-9][0-9]{0,4})?/?"
)
_RESOURCE_OF_LOGIN = {
    "login.microsoftonline.com": "https://graph.microsoft.com",
    "login.microsoftonline.us": "https://graph.microsoft.us",
}


@dataclass(frozen=True, slots=True)
class Cloud:
    """The addresses for signing in and for reading.

    ``login_url`` is an https origin without a tenant, ``graph_url`` ends in ``/v1.0``, ``ca_bundle`` is a PEM file to
    trust instead of the usual authorities, and ``proxy`` is the address of an HTTP proxy for both. It may contain a
    password.
    """

    name: str
    login_url: str
    graph_url: str
    ca_bundle: str | None = None
    proxy: str | None = field(default=None, repr=False)

    @property
    def resource(self) -> str:
        """The audience of requested tokens: Graph's own origin, even behind a gateway.

        >>> Cloud("custom", "https://login.microsoftonline.com", "https://gateway.example/v1.0").resource
        'https://graph.microsoft.com'
        """
        graph_host, _port = origin(self.graph_url)
        login_host, _port = origin(self.login_url)
        if graph_host.endswith((".microsoft.com", ".microsoft.us")):
            return f"https://{graph_host}"
        return _RESOURCE_OF_LOGIN.get(login_host) or self.graph_url.removesuffix("/v1.0")


CLOUDS = {
    "global": Cloud(
        "global", "https://login.microsoftonline.com", "https://graph.microsoft.com/v1.0"
    ),
    "gcc_high": Cloud(
        "gcc_high", "https://login.microsoftonline.us", "https://graph.microsoft.us/v1.0"
    ),
    "dod": Cloud("dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us/v1.0"),
}


def origin(url: str) -> tuple[str, int] | None:
    """Return ``(host, port)`` of a plain https address, or None for anything else.

    This is deliberately stricter than RFC 3986: lowercase, ASCII only, without user, backslash, or fragment.

    >>> origin("https://graph.microsoft.com/v1.0/x?$skiptoken=a")
    ('graph.microsoft.com', 443)
    >>> origin("https://graph.microsoft.com:8443")
    ('graph.microsoft.com', 8443)
    >>> [origin(url) for url in ("http://graph.microsoft.com/", "https://graph.microsoft.com@evil.example/",
    ...                          "https://GRAPH.microsoft.com/", "https://graph.microsoft.com./")]
    [None, None, None, None]
    """
    match = _URL.fullmatch(url) if isinstance(url, str) else None
    if not match or ".." in match[1] or "\\" in url or "#" in url:
        return None
    port = int(match[2] or 443)
    return (match[1], port) if port < 65536 else None


def cloud_of(name: str, settings: Mapping[str, str]) -> Cloud:
    """Return the cloud with this name (``custom`` or one of CLOUDS) as this server reaches it.

    Optional settings: BOOKINGS_CA_BUNDLE (a PEM file) and BOOKINGS_HTTPS_PROXY. Raises ConfigurationError with the name
    of the setting to correct.

    >>> cloud_of("dod", {"BOOKINGS_HTTPS_PROXY": "http://proxy.example:3128"}).proxy
    'http://proxy.example:3128'
    """
    cloud = custom_cloud(settings) if name == "custom" else CLOUDS[name]
    bundle = (settings.get("BOOKINGS_CA_BUNDLE") or "").strip()
    if bundle and not Path(bundle).is_file():
        raise ConfigurationError(kind="custom_cloud_ca_bundle", host="BOOKINGS_CA_BUNDLE")
    proxy = (settings.get("BOOKINGS_HTTPS_PROXY") or "").strip()
    if proxy and not _PROXY.fullmatch(proxy):
        raise ConfigurationError(kind="proxy_setting", host="BOOKINGS_HTTPS_PROXY")
    return replace(cloud, ca_bundle=bundle or None, proxy=proxy or None)


def custom_cloud(settings: Mapping[str, str]) -> Cloud:
    """Return the cloud in the server's configuration: a gateway or a test tenant.

    Settings: BOOKINGS_GRAPH_URL (ends in /v1.0) and BOOKINGS_LOGIN_URL (without a tenant). Raises ConfigurationError with
    the name of the setting to correct.

    >>> custom_cloud({"BOOKINGS_GRAPH_URL": "https://g.example/v1.0/",
    ...               "BOOKINGS_LOGIN_URL": "https://l.example"}).graph_url
    'https://g.example/v1.0'
    """
    graph_url = _setting(settings, "BOOKINGS_GRAPH_URL")
    login_url = _setting(settings, "BOOKINGS_LOGIN_URL")
    if not graph_url.endswith("/v1.0"):
        raise ConfigurationError(kind="custom_cloud_graph_url", host="BOOKINGS_GRAPH_URL")
    return Cloud("custom", login_url, graph_url)


def _setting(settings: Mapping[str, str], key: str) -> str:
    value = (settings.get(key) or "").strip().rstrip("/")
    if not value:
        raise ConfigurationError(kind="custom_cloud_missing", host=key)
    place = origin(value)
    if place is None or "?" in value:
        raise ConfigurationError(kind="custom_cloud_url", host=key)
    if place[0].endswith(_CHINA):
        raise ConfigurationError(kind="china_not_supported")
    return value
