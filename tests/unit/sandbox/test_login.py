"""Signing in as msal does it: every grant, every refusal."""

import base64
import datetime as dt
import json
from urllib.parse import parse_qs, urlsplit

import msal
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from bookings_invoicing import sandbox
from bookings_invoicing.sandbox import Tenant, sandbox_session
from bookings_invoicing.sandbox.login import USERS

from .conftest import ANCHOR, CREDENTIALS, TOKEN_URL, Asker, sign_in

# The query form is the one that keeps a session cookie; msal recommends the other.
pytestmark = pytest.mark.filterwarnings("ignore:response_mode")
AUTHORITY = f"{sandbox.LOGIN_URL}/{sandbox.TENANT_ID}"
SCOPE = ["https://graph.sandbox.invalid/.default"]
REDIRECT = "https://odoo.example/bookings_invoicing/oauth/callback"


def session(**options):
    return sandbox_session(Tenant(1, ANCHOR), **options)


def application(http, credential=sandbox.CLIENT_SECRET, **more):
    return msal.ConfidentialClientApplication(
        more.pop("client_id", sandbox.CLIENT_ID),
        client_credential=credential,
        authority=AUTHORITY,
        instance_discovery=False,
        http_client=http,
        **more,
    )


def code_of(answer):
    """The numbers of an error answer, which msal hands through."""
    return answer["error"], answer["error_codes"][0]


def test_a_client_secret():
    app = application(session())
    answer = app.acquire_token_for_client(SCOPE)
    assert answer["token_type"] == "Bearer" and answer["expires_in"] == 3599
    claims = json.loads(base64.urlsafe_b64decode(answer["access_token"].split(".")[1] + "=="))
    assert claims["roles"] == ["Bookings.Read.All"] and claims["tid"] == sandbox.TENANT_ID
    assert app.acquire_token_for_client(SCOPE)["token_source"] == "cache"


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"credential": "wrong"}, ("invalid_client", 7000215)),
        ({"credential": "old"}, ("invalid_client", 7000222)),
        ({"client_id": "5a4db0c5-0000-4000-8000-00000000dead"}, ("unauthorized_client", 700016)),
    ],
)
def test_refused_clients(options, expected):
    app = application(session(expired_secrets=("old",)), **options)
    answer = app.acquire_token_for_client(SCOPE)
    assert code_of(answer) == expected
    assert answer["error_description"].startswith(f"AADSTS{expected[1]}: ")
    assert "wrong" not in answer["error_description"]


def test_refusals_of_bare_requests():
    http = session()
    for change, expected in (
        ({"client_secret": ""}, ("invalid_client", 7000218)),
        ({"grant_type": "password"}, ("unsupported_grant_type", 70003)),
        ({"scope": "Bookings.Read.All"}, ("invalid_scope", 1002012)),
        ({"grant_type": "authorization_code", "code": "x"}, ("invalid_grant", 54005)),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, ("invalid_grant", 70008)),
    ):
        response = http.post(TOKEN_URL, data={**CREDENTIALS, **change})
        assert code_of(response.json()) == expected
        assert response.status_code in (400, 401)
    other = TOKEN_URL.replace(sandbox.TENANT_ID, "00000000-0000-0000-0000-00000000dead")
    assert code_of(http.post(other, data=CREDENTIALS).json()) == ("invalid_tenant", 90002)
    assert http.get(TOKEN_URL).status_code == 404
    assert http.get(sandbox.LOGIN_URL + "/").status_code == 404


# -- certificate ---------------------------------------------------------------------------------


def key_and_certificate():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bookings")])
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return pem, certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def pairs():
    return key_and_certificate(), key_and_certificate()


@pytest.mark.parametrize("form", ["public_certificate", "thumbprint"])
def test_a_certificate(pairs, form):
    """Both signatures that msal makes: PS256 with the certificate, RS256 with a thumbprint."""
    (pem, certificate), (other_pem, _other) = pairs
    parsed = x509.load_pem_x509_certificate(certificate)
    more = {
        "public_certificate": {"public_certificate": certificate.decode()},
        "thumbprint": {"thumbprint": parsed.fingerprint(hashes.SHA1()).hex()},
    }[form]
    http = session(certificates=[certificate])
    answer = application(http, {"private_key": pem, **more}).acquire_token_for_client(SCOPE)
    assert "access_token" in answer, answer
    stranger = application(http, {"private_key": other_pem, **more})
    assert code_of(stranger.acquire_token_for_client(SCOPE)) == ("invalid_client", 700027)


def test_without_registered_certificates_any_assertion_will_do(pairs):
    (pem, certificate), _ = pairs
    credential = {"private_key": pem, "public_certificate": certificate.decode()}
    answer = application(session(), credential).acquire_token_for_client(SCOPE)
    assert "access_token" in answer, answer


@pytest.mark.parametrize(
    "claims, number",
    [
        (None, 50027),
        ({"iss": "somebody"}, 700023),
        ({"aud": "https://elsewhere.example/token"}, 700023),
        ({"exp": 5}, 700024),
    ],
)
def test_bad_assertions(claims, number):
    whole = {"iss": sandbox.CLIENT_ID, "aud": TOKEN_URL, "exp": 2**40, **(claims or {})}

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    assertion = "rubbish" if claims is None else f"{part({'alg': 'RS256'})}.{part(whole)}.AA"
    form = {key: value for key, value in CREDENTIALS.items() if key != "client_secret"}
    form["client_assertion"] = assertion
    form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    answer = session().post(TOKEN_URL, data=form).json()
    assert code_of(answer) == ("invalid_client", number)


# -- signing in ----------------------------------------------------------------------------------


def begin(app, **options):
    options = {"redirect_uri": REDIRECT, **options}
    return app.initiate_auth_code_flow(["Bookings.Read.All"], **options)


def come_back(http, flow):
    """What the browser brings back to the callback."""
    answer = http.get(flow["auth_uri"], allow_redirects=False)
    assert answer.status_code == 302
    target = answer.headers["Location"]
    assert target.startswith(REDIRECT + "?")
    return {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}


def test_sign_in_with_a_code_and_pkce():
    http = session()
    cache = msal.SerializableTokenCache()
    app = application(http, token_cache=cache)
    flow = begin(app)
    result = app.acquire_token_by_auth_code_flow(flow, come_back(http, flow))
    assert result["id_token_claims"]["preferred_username"] == USERS[0].username
    assert result["scope"] == "Bookings.Read.All"
    (account,) = app.get_accounts()
    assert account["username"] == USERS[0].username
    again = app.acquire_token_silent(["Bookings.Read.All"], account, force_refresh=True)
    assert again["token_source"] == "identity_provider"


def test_the_answer_may_come_as_a_form():
    http = session()
    flow = begin(application(http), response_mode="form_post")
    page = http.get(flow["auth_uri"])
    assert page.status_code == 200 and f'action="{REDIRECT}"' in page.text
    assert 'name="code"' in page.text and 'name="state"' in page.text


def test_who_signs_in_and_who_declines():
    http = session()
    app = application(http)
    flow = begin(app, login_hint=USERS[1].username)
    result = app.acquire_token_by_auth_code_flow(flow, come_back(http, flow))
    assert result["id_token_claims"]["name"] == USERS[1].name
    flow = begin(app, login_hint="denied@harbourclinic.example")
    result = app.acquire_token_by_auth_code_flow(flow, come_back(http, flow))
    assert result["error"] == "access_denied"


def test_a_code_works_once():
    http = session()
    app = application(http)
    flow = begin(app)
    brought = come_back(http, flow)
    app.acquire_token_by_auth_code_flow(flow, brought)
    assert code_of(app.acquire_token_by_auth_code_flow(flow, brought)) == ("invalid_grant", 54005)


@pytest.mark.parametrize(
    "key, value, number",
    [("code_verifier", "x" * 43, 501481), ("redirect_uri", "https://evil.example/", 50011)],
)
def test_a_code_is_bound_to_its_request(key, value, number):
    http = session()
    app = application(http)
    flow = begin(app)
    brought = come_back(http, flow)
    answer = app.acquire_token_by_auth_code_flow({**flow, key: value}, brought)
    assert answer["error_codes"] == [number]


def test_a_code_and_tokens_expire():
    now = [1_000_000.0]
    http = session(clock=lambda: now[0])
    app = application(http)
    flow = begin(app)
    brought = come_back(http, flow)
    now[0] += 601
    assert code_of(app.acquire_token_by_auth_code_flow(flow, brought)) == ("invalid_grant", 54005)
    token = sign_in(http)["refresh_token"]
    now[0] += 91 * 86400
    assert code_of(refresh(http, token)) == ("invalid_grant", 70008)


def refresh(http, token):
    form = {**CREDENTIALS, "grant_type": "refresh_token", "refresh_token": token}
    return http.post(TOKEN_URL, data={**form, "scope": "Bookings.Read.All offline_access"}).json()


def test_refresh_tokens_rotate():
    """Each use gives a new one; the old one stays valid unless rotation is strict."""
    for strict in (False, True):
        http = session(strict_rotation=strict)
        first = sign_in(http)["refresh_token"]
        second = refresh(http, first)["refresh_token"]
        assert second != first
        assert ("access_token" in refresh(http, first)) is not strict
        assert "access_token" in refresh(http, second)


def test_consent_is_needed():
    answer = sign_in(session(permissions=("User.Read",)))
    assert code_of(answer) == ("invalid_grant", 65001)


def test_a_user_without_a_role_finds_no_folder():
    """Documented trap: listed business, ErrorFolderNotFound behind it."""
    asker = Asker(Tenant(1, ANCHOR))
    asker.token = sign_in(asker.session, hint=USERS[1].username)["access_token"]
    assert len(asker.get(f"{sandbox.GRAPH_URL}/solutions/bookingBusinesses")["value"]) == 2
    assert asker.error(asker.path("services"), 404) == "ErrorFolderNotFound"
    asker.token = sign_in(asker.session, hint=USERS[0].username)["access_token"]
    assert asker.get(asker.path("services"))


def test_bad_questions_to_the_sign_in_page():
    http = session()
    url = f"{AUTHORITY}/oauth2/v2.0/authorize"
    good = {"client_id": sandbox.CLIENT_ID, "redirect_uri": REDIRECT, "response_type": "code"}
    for change, number in (({"client_id": "x"}, 700016), ({"redirect_uri": "javascript:1"}, 50011)):
        answer = http.get(url, params={**good, **change}, allow_redirects=False)
        assert answer.status_code == 400 and answer.json()["error_codes"] == [number]
    answer = http.get(url, params={**good, "response_type": "token"}, allow_redirects=False)
    assert "error=unsupported_response_type" in answer.headers["Location"]


def test_discovery():
    http = session()
    document = http.get(f"{AUTHORITY}/v2.0/.well-known/openid-configuration").json()
    assert document["token_endpoint"] == TOKEN_URL
    assert http.get(document["jwks_uri"]).json() == {"keys": []}
    found = http.get(f"{sandbox.LOGIN_URL}/common/discovery/instance").json()
    assert found["tenant_discovery_endpoint"].startswith(AUTHORITY)
