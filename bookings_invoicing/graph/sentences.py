"""The texts for users: one English sentence per kind of error, which the caller may translate.

Each sentence states what happened and what to do next. ``%(host)s`` is the server that was contacted, or the
server's setting to correct.

>>> say("timeout", "graph.microsoft.com")
'graph.microsoft.com did not answer in time. Odoo will retry automatically.'
"""

import re
from collections.abc import Callable
from functools import cache


def _lt(sentence: str) -> str:
    """Mark a sentence for Odoo's term extraction, which searches for calls with this name."""
    return sentence


def say(kind: str, host: str = "", translate: Callable[[str], str] = str) -> str:
    """Return the sentence for a kind of error. ``translate`` converts the English template."""
    sentence = SENTENCES.get(kind, SENTENCES["graph_error"])
    return translate(sentence) % {"host": host or "Microsoft"}


def say_problem(reason: str, translate: Callable[[str], str] = str) -> str:
    """Return why a record is unreadable. ``translate`` converts what is known in PROBLEMS; the property keeps its JSON name.

    >>> say_problem("duration: is not a duration", {"is not a duration": "er ikke en varighed"}.get)
    'duration: er ikke en varighed'
    >>> say_problem("The customer is locked.")
    'The customer is locked.'
    """
    field, colon, problem = reason.rpartition(": ")
    return f"{field}{colon}{translate(problem)}" if problem in PROBLEMS else reason


def say_again(text: str, translate: Callable[[str], str]) -> str:
    """Return a stored English text in another language: each sentence of SENTENCES and CHECKS is recognized by its words.

    As in gettext, the English sentence is the key. What is not recognized is kept, such as Microsoft's code.

    >>> say_again("Granted: Bookings.Read.All. (AADSTS1)", {"Granted: %s.": "Givet: %s."}.get)
    'Givet: Bookings.Read.All. (AADSTS1)'
    >>> say_again("The customer is locked.", str.upper)
    'The customer is locked.'
    """
    for template, pattern in _patterns():
        if found := pattern.match(text):
            facts = found.groupdict() or found.groups()
            rest = text[found.end() :]
            more = say_again(rest[1:], translate)
            return translate(template) % facts + rest[:1] + more
    return text


@cache
def _patterns():
    """Return a pattern for each sentence. It matches up to the end of the text or the next word."""
    return [
        (template, re.compile(_pattern(template) + r"(?= |$)"))
        for template in (*SENTENCES.values(), *CHECKS.values())
    ]


def _pattern(template):
    words = re.escape(template).replace(re.escape("%(host)s"), r"(?P<host>\S+)", 1)
    return words.replace(re.escape("%(host)s"), r"(?P=host)").replace(re.escape("%s"), r"(.+?)")


SENTENCES = {
    "graph_error": _lt("Microsoft Graph refused the request."),
    "bad_request": _lt(
        "Microsoft Graph rejected the request as invalid. If this persists, contact support with the request ID."
    ),
    "range_too_large": _lt("The period is too long for a single request to Microsoft Graph."),
    "throttled": _lt("Microsoft Graph is throttling requests. Odoo will retry automatically."),
    "unavailable": _lt(
        "Microsoft's service is temporarily unavailable. Odoo will retry automatically."
    ),
    "unreachable": _lt(
        "The server cannot reach %(host)s. Check its network, name resolution, and firewall. Behind a proxy, set "
        "BOOKINGS_HTTPS_PROXY in the server's configuration."
    ),
    "proxy": _lt(
        "The server cannot reach %(host)s through its proxy. Check BOOKINGS_HTTPS_PROXY in the server's "
        "configuration, and check that the proxy allows %(host)s."
    ),
    "timeout": _lt("%(host)s did not answer in time. Odoo will retry automatically."),
    "interrupted": _lt(
        "The connection to %(host)s was interrupted. Odoo will retry automatically."
    ),
    "tls_certificate": _lt(
        "The certificate of %(host)s is not trusted, so nothing was sent. Check the server's clock and "
        "certificate authorities. If a proxy inspects connections, set BOOKINGS_CA_BUNDLE in the server's "
        "configuration."
    ),
    "tls_handshake": _lt(
        "No secure connection to %(host)s could be established. Check whether a proxy intercepts it."
    ),
    "redirect": _lt(
        "%(host)s tried to redirect the request, and Odoo did not follow. Check for a proxy or sign-in page in "
        "the network."
    ),
    "foreign_link": _lt(
        "A response pointed to an address outside the configured cloud. Nothing was sent there."
    ),
    "writing_not_allowed": _lt(
        "Writing to Bookings is not allowed on this connection. Nothing was sent."
    ),
    "write_denied": _lt(
        "Microsoft Graph does not allow writing to Bookings. Grant the permission BookingsAppointment.ReadWrite.All to "
        "the app registration and have an administrator consent to it."
    ),
    "services_write_denied": _lt(
        "Microsoft Graph does not allow changing services in Bookings. Grant the permission Bookings.ReadWrite.All to "
        "the app registration and have an administrator consent to it."
    ),
    "write_refused": _lt("Microsoft Bookings refused the change."),
    "not_kept": _lt("The change is not there when Bookings is read again."),
    "not_json": _lt(
        "%(host)s did not return Graph data. Check for a proxy or sign-in page in the network."
    ),
    "wrong_shape": _lt("Microsoft Graph returned a response in an unexpected format."),
    "too_large": _lt("The response from %(host)s was too large and was discarded."),
    "paging_loop": _lt(
        "The list did not end: Microsoft Graph kept returning pages that were already read."
    ),
    "token_refused": _lt(
        "Microsoft Graph does not accept the sign-in. Test the connection or sign in again."
    ),
    "access_denied": _lt(
        "Microsoft Graph denies access. Grant the permission Bookings.Read.All to the app registration and "
        "have an administrator consent to it."
    ),
    "mailbox_role_missing": _lt(
        "The signed-in user or app has no role in this Bookings calendar. Add it there as administrator, "
        "scheduler, team member, or viewer."
    ),
    "business_not_found": _lt(
        "This Bookings business does not exist. Select another one from the list or check its address."
    ),
    "too_many_businesses": _lt(
        "The organization has too many Bookings businesses to list. Enter part of the name or the address of "
        "the business."
    ),
    "not_found": _lt("This record no longer exists in Microsoft Graph."),
    "secret_id_instead_of_value": _lt(
        "The client secret is wrong. Copy the “Value” of the secret from the Microsoft Entra admin center; the "
        "“Secret ID” does not work."
    ),
    "secret_expired": _lt(
        "The client secret has expired. Create a new one in the Microsoft Entra admin center and enter its "
        "value here."
    ),
    "credential_refused": _lt(
        "Microsoft rejects the app's credentials. Check the client ID, secret, or certificate."
    ),
    "certificate_unknown": _lt(
        "Microsoft does not know this certificate. Upload its public part to the app registration."
    ),
    "app_not_found": _lt(
        "This tenant has no app with this client ID. Check the client ID and the tenant ID."
    ),
    "app_disabled": _lt(
        "The app registration is disabled in the tenant. An administrator must enable it."
    ),
    "tenant_not_found": _lt(
        "The tenant does not exist in this cloud. Check the tenant ID and the selected cloud."
    ),
    "resource_not_found": _lt(
        "Bookings is not available to this tenant in the selected cloud. Check the license and the cloud."
    ),
    "consent_missing": _lt(
        "The app does not have consent yet. An administrator must grant Bookings.Read.All in the Microsoft "
        "Entra admin center (API permissions > Grant admin consent)."
    ),
    "sign_in_again": _lt("The sign-in is no longer valid. Sign in with Microsoft again."),
    "sign_in_blocked": _lt(
        "The organization's policies (conditional access, multifactor authentication) block this sign-in. "
        "Contact the Microsoft 365 administrator."
    ),
    "sign_in_refused": _lt("The sign-in was canceled or not allowed."),
    "sign_in_failed": _lt("The sign-in with Microsoft failed."),
    "sign_in_state": _lt(
        "This sign-in does not belong to the one that was started, or it has already been used. Start again."
    ),
    "sign_in_tenant": _lt(
        "You signed in with an account of another organization. Use an account of the configured tenant."
    ),
    "redirect_uri": _lt(
        "The redirect address is not registered. Add it under Authentication in the app registration."
    ),
    "certificate_missing": _lt(
        "The text contains no certificate. Paste the PEM of both the private key and the certificate."
    ),
    "key_missing": _lt(
        "The text contains no private key. Paste the PEM of both the private key and the certificate."
    ),
    "key_unreadable": _lt("The private key cannot be read. Check the PEM text and the passphrase."),
    "key_mismatch": _lt("The private key does not belong to the certificate."),
    "certificate_expired": _lt("The certificate has expired. Upload a new one."),
    "china_not_supported": _lt(
        "Microsoft Bookings does not exist in the China cloud (21Vianet), so it cannot be connected."
    ),
    "credential_incomplete": _lt("Tenant ID, client ID, and client secret are required."),
    "custom_cloud_missing": _lt("The cloud “custom” needs %(host)s in the server's configuration."),
    "custom_cloud_url": _lt(
        "%(host)s must be a plain https:// address in lowercase, without user or query."
    ),
    "custom_cloud_graph_url": _lt(
        "%(host)s must end in /v1.0, for example https://graph.microsoft.com/v1.0."
    ),
    "custom_cloud_ca_bundle": _lt("%(host)s names a file that does not exist on the server."),
    "proxy_setting": _lt(
        "%(host)s must be the address of a proxy, for example http://proxy.example.com:3128."
    ),
    "unreadable_record": _lt("The record could not be read."),
}

# Results of the connection test (:mod:`.checks`)
CHECKS = {
    "skipped": _lt("Not tried, because a previous step failed."),
    "token": _lt("Microsoft accepts the sign-in."),
    "hidden": _lt("The granted permissions are not visible; the next steps test them."),
    "granted": _lt("Granted: %s."),
    "businesses": _lt("%s Bookings businesses found."),
    "no_business": _lt(
        "Connected, but the organization has no Bookings business. Create one in Bookings first."
    ),
    "no_currency": _lt("no currency"),
    "first_page": _lt("%s records can be read on the first page."),
    "unreadable": _lt("%s of them are unreadable and would not be imported."),
}

# What is wrong with one property of an unreadable record (:class:`.errors.RecordError`)
PROBLEMS = {
    _lt("contains characters that an ID cannot have"),
    _lt("has an unknown time zone"),
    _lt("has no time zone"),
    _lt("is before the start"),
    _lt("is missing"),
    _lt("is negative"),
    _lt("is not a date and time"),
    _lt("is not a duration"),
    _lt("is not a finite number"),
    _lt("is not a list"),
    _lt("is not a list of objects"),
    _lt("is not a number"),
    _lt("is not a number of people"),
    _lt("is not an object"),
    _lt("is not text"),
    _lt("is not the requested one"),
    _lt("is not true or false"),
    _lt("is outside the years that a booking can have"),
    _lt("is too high"),
    _lt("is too long"),
    _lt("The record is not an object."),
}
