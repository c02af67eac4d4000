"""Which clouds there are, and what a server may configure."""

import pytest

from bookings_invoicing import graph
from bookings_invoicing.graph import CLOUDS, Cloud, ConfigurationError, cloud_of
from bookings_invoicing.graph.clouds import custom_cloud

SETTINGS = {
    "BOOKINGS_GRAPH_URL": "https://gateway.example/v1.0",
    "BOOKINGS_LOGIN_URL": "https://login.gateway.example",
}


def test_known_clouds():
    """Hosts of the documentation's table; the audience is always Graph itself."""
    assert {name: (cloud.login_url, cloud.resource) for name, cloud in CLOUDS.items()} == {
        "global": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
        "gcc_high": ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
        "dod": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    }
    assert all(cloud.graph_url == f"{cloud.resource}/v1.0" for cloud in CLOUDS.values())


def test_custom():
    cloud = custom_cloud(SETTINGS)
    expected = ("custom", *(SETTINGS[key] for key in sorted(SETTINGS, reverse=True)), None)
    assert (cloud.name, cloud.login_url, cloud.graph_url, cloud.ca_bundle) == expected
    assert cloud.resource == "https://gateway.example"


def test_custom_with_ports_and_slashes(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("x")
    cloud = cloud_of(
        "custom",
        {
            "BOOKINGS_GRAPH_URL": " https://127.0.0.1:8443/v1.0/ ",
            "BOOKINGS_LOGIN_URL": "https://127.0.0.1:8443/",
            "BOOKINGS_CA_BUNDLE": str(bundle),
        },
    )
    assert cloud.graph_url == "https://127.0.0.1:8443/v1.0"
    assert cloud.login_url == "https://127.0.0.1:8443"
    assert cloud.ca_bundle == str(bundle)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("BOOKINGS_GRAPH_URL", ""),
        ("BOOKINGS_LOGIN_URL", None),
        ("BOOKINGS_GRAPH_URL", "http://gateway.example/v1.0"),
        ("BOOKINGS_LOGIN_URL", "http://login.example"),
        ("BOOKINGS_GRAPH_URL", "https://gateway.example/beta"),
        ("BOOKINGS_GRAPH_URL", "https://gateway.example"),
        ("BOOKINGS_GRAPH_URL", "https://user@gateway.example/v1.0"),
        ("BOOKINGS_GRAPH_URL", "https://gateway.example?x=/v1.0"),
        ("BOOKINGS_LOGIN_URL", "https://login.example/#x"),
        ("BOOKINGS_LOGIN_URL", "ftp://login.example"),
        ("BOOKINGS_LOGIN_URL", "login.example"),
        ("BOOKINGS_CA_BUNDLE", "/nonexistent/ca.pem"),
        ("BOOKINGS_HTTPS_PROXY", "proxy.example:3128"),
        ("BOOKINGS_HTTPS_PROXY", "socks5://proxy.example:1080"),
        ("BOOKINGS_HTTPS_PROXY", "http://proxy.example:3128/path"),
        ("BOOKINGS_HTTPS_PROXY", "http://a b:c@proxy.example"),
    ],
)
def test_custom_refused(key, value):
    """With the name of the setting in the sentence."""
    with pytest.raises(ConfigurationError) as caught:
        cloud_of("custom", SETTINGS | {key: value})
    assert key in str(caught.value)
    assert caught.value.needs_admin


@pytest.mark.parametrize(
    ("graph_url", "login_url"),
    [
        ("https://microsoftgraph.chinacloudapi.cn/v1.0", "https://login.chinacloudapi.cn"),
        ("https://gateway.example/v1.0", "https://login.partner.microsoftonline.cn"),
    ],
)
def test_china(graph_url, login_url):
    """There is no Bookings; that is said, and nothing tried."""
    with pytest.raises(ConfigurationError) as caught:
        custom_cloud({"BOOKINGS_GRAPH_URL": graph_url, "BOOKINGS_LOGIN_URL": login_url})
    assert caught.value.kind == "china_not_supported"
    assert "China" in str(caught.value)


def test_every_sentence_can_be_formed():
    """No placeholder but the host, whatever class takes the kind."""
    for kind in graph.SENTENCES:
        text = str(graph.GraphError(kind=kind, host="graph.example", status=500, code="x"))
        assert "{" not in text and text.endswith("(x, HTTP 500)")


@pytest.mark.parametrize(
    ("error", "flags"),
    [
        (graph.GraphError, set()),
        (graph.TransientError, {"transient"}),
        (graph.ThrottledError, {"transient"}),
        (graph.AuthError, {"needs_admin"}),
        (graph.AccessDenied, {"needs_admin"}),
        (graph.ConfigurationError, {"needs_admin"}),
        (graph.NotFound, set()),
        (graph.RangeTooLarge, set()),
        (graph.SecurityError, {"security"}),
        (graph.ProtocolError, set()),
        (graph.RecordError, {"skip_record"}),
    ],
)
def test_behavior_is_on_the_type(error, flags):
    problem = error()
    names = ("transient", "needs_admin", "skip_record", "security")
    assert {name for name in names if getattr(problem, name)} == flags
    assert problem.retry_after is None
    assert problem.kind and str(problem)


def test_a_cloud_shows_no_secret():
    assert repr(Cloud("a", "https://l.example", "https://g.example/v1.0")).startswith("Cloud(")


@pytest.mark.parametrize("name", [*CLOUDS, "custom"])
def test_proxy_and_bundle_for_every_cloud(name, tmp_path):
    """What is between this server and Microsoft does not depend on the cloud; a password is not shown."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("x")
    proxy = "http://odoo:canary@proxy.example:3128"
    network = {"BOOKINGS_CA_BUNDLE": str(bundle), "BOOKINGS_HTTPS_PROXY": f" {proxy} "}
    cloud = cloud_of(name, SETTINGS | network)
    assert (cloud.ca_bundle, cloud.proxy) == (str(bundle), proxy)
    assert "canary" not in repr(cloud)
    plain = cloud_of(name, SETTINGS)
    assert (plain.ca_bundle, plain.proxy) == (None, None)
