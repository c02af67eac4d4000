"""What the errors of :mod:`..graph` say, in the reader's language.

Their own texts are English, and stay so in logs; ``tell(env, error)`` is for people. The sentences stand here once more
because Odoo's term export looks for literals.
"""

from odoo.tools import LazyTranslate

from ...graph.errors import SENTENCES as GRAPH_SENTENCES

_lt = LazyTranslate(__name__)

# kind of the error: the sentence of ``graph.SENTENCES``
SENTENCES = {
    "graph_error": _lt("Microsoft Graph refused the request."),
    "bad_request": _lt(
        "Microsoft Graph refused the request as invalid. If this stays, report the request id to support."
    ),
    "range_too_large": _lt("Microsoft Graph cannot answer for so long a period at once."),
    "throttled": _lt(
        "Microsoft Graph asks to wait before the next request. It is tried again later by itself."
    ),
    "unavailable": _lt(
        "Microsoft's service did not answer properly. It is tried again later by itself."
    ),
    "unreachable": _lt(
        "The server cannot reach %(host)s. Check its network, name resolution and firewall. Behind a proxy, set "
        "BOOKINGS_HTTPS_PROXY in the server's configuration."
    ),
    "proxy": _lt(
        "The server cannot reach %(host)s through its proxy. Check BOOKINGS_HTTPS_PROXY in the server's "
        "configuration, and that the proxy lets %(host)s pass."
    ),
    "timeout": _lt("%(host)s did not answer in time. It is tried again later by itself."),
    "interrupted": _lt(
        "The connection to %(host)s broke in the middle of an answer. It is tried again later by itself."
    ),
    "tls_certificate": _lt(
        "The certificate of %(host)s is not trusted, so nothing was sent. Check the server's clock and "
        "certificate authorities. Where a proxy inspects connections, set BOOKINGS_CA_BUNDLE in the server's "
        "configuration."
    ),
    "tls_handshake": _lt(
        "No secure connection to %(host)s could be agreed on. Check whether a proxy intercepts it."
    ),
    "redirect": _lt(
        "%(host)s tried to redirect the request elsewhere; it was not followed. Check for a proxy or sign-in "
        "page in the network."
    ),
    "foreign_link": _lt(
        "An answer pointed to an address outside the configured cloud; nothing was sent there."
    ),
    "not_json": _lt(
        "%(host)s answered with something other than Graph data. Check for a proxy or sign-in page in the "
        "network."
    ),
    "wrong_shape": _lt("Microsoft Graph answered in an unexpected form."),
    "too_large": _lt("An answer of %(host)s was larger than allowed and was dropped."),
    "paging_loop": _lt(
        "The list never ended: Microsoft Graph kept referring to pages already read."
    ),
    "token_refused": _lt(
        "Microsoft Graph does not accept the sign-in. Test the connection again or sign in anew."
    ),
    "access_denied": _lt(
        "Microsoft Graph denies access. Grant the permission Bookings.Read.All to the app registration and "
        "have an administrator consent to it."
    ),
    "mailbox_role_missing": _lt(
        "The signed-in user or app has no role in this Bookings calendar. Add it there as administrator, "
        "scheduler, team member or viewer."
    ),
    "business_not_found": _lt(
        "This Bookings business does not exist. Choose another one from the list or check its address."
    ),
    "too_many_businesses": _lt(
        "The organisation has too many Bookings businesses to list. Enter part of the name, or the address of "
        "the business."
    ),
    "not_found": _lt("Microsoft Graph does not know this record (any more)."),
    "secret_id_instead_of_value": _lt(
        "The client secret is wrong. Copy the “Value” of the secret from the Entra admin center; the “Secret "
        "ID” does not work."
    ),
    "secret_expired": _lt(
        "The client secret has expired. Create a new one in the Entra admin center and enter its value here."
    ),
    "credential_refused": _lt(
        "Microsoft refuses the app's credential. Check client id, secret or certificate."
    ),
    "certificate_unknown": _lt(
        "Microsoft does not know this certificate. Upload its public part to the app registration."
    ),
    "app_not_found": _lt(
        "No app with this client id exists in this tenant. Check client id and tenant id."
    ),
    "app_disabled": _lt(
        "The app registration is disabled in the tenant. An administrator must enable it."
    ),
    "tenant_not_found": _lt(
        "The tenant does not exist in this cloud. Check the tenant id and the chosen cloud."
    ),
    "resource_not_found": _lt(
        "Bookings is not available to this tenant in the chosen cloud. Check licence and cloud."
    ),
    "consent_missing": _lt(
        "The app has no consent yet. An administrator must grant Bookings.Read.All in the Entra admin center "
        "(API permissions > Grant admin consent)."
    ),
    "sign_in_again": _lt("The sign-in is no longer valid. Sign in with Microsoft again."),
    "sign_in_blocked": _lt(
        "The organisation's rules (conditional access, multi-factor) block this sign-in. Ask the Microsoft "
        "365 administrator."
    ),
    "sign_in_refused": _lt("The sign-in was cancelled or not allowed."),
    "sign_in_failed": _lt("The sign-in with Microsoft did not succeed."),
    "sign_in_state": _lt(
        "This sign-in does not belong to the one that was started, or it was used already. Start again."
    ),
    "sign_in_tenant": _lt(
        "You signed in with an account of another organisation. Use an account of the configured tenant."
    ),
    "redirect_uri": _lt(
        "The redirect address is not registered. Add it under Authentication in the app registration."
    ),
    "certificate_missing": _lt(
        "The text holds no certificate. Paste the PEM of both the private key and the certificate."
    ),
    "key_missing": _lt(
        "The text holds no private key. Paste the PEM of both the private key and the certificate."
    ),
    "key_unreadable": _lt("The private key cannot be read. Check the PEM text and the passphrase."),
    "key_mismatch": _lt("The private key does not belong to the certificate."),
    "certificate_expired": _lt("The certificate has expired. Upload a new one."),
    "china_not_supported": _lt(
        "Microsoft Bookings does not exist in the China cloud (21Vianet), so it cannot be connected."
    ),
    "unreadable_record": _lt("The record could not be read."),
}


def tell(env, error):
    """The error as a sentence that a person can act on, with Microsoft's code and request id behind it.

    :param graph.GraphError error:
    """
    sentence = sentence_of(env, error)
    return str(error).replace(error.sentence, sentence, 1)


def sentence_of(env, error):
    """Only the sentence; an error with words of its own (a setting's name, a field) keeps those."""
    known = GRAPH_SENTENCES.get(error.kind)
    host = error.host or "Microsoft"
    if known is None or error.sentence != known.format(host=host):
        return error.sentence
    sentence = env._(SENTENCES[error.kind])
    return sentence % {"host": host}
