"""Sign-in by OpenID Connect: what the environment says of it, in the form in which Streamlit takes it.

Owns these settings, and refuses what would be unsafe or could not work. Knows nothing of roles, claims or pages.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from services.errors import NotPossible, mapped
from services.stack import attach, connect, on_aws

COGNITO = "cognito"
AT_FIRST = "http://localhost:8501"
"""Where a dashboard is when nothing is said; the template's DashboardUrl begins with the same."""
_CALLBACK = "/oauth2callback"  # Streamlit's
_SHORTEST = 32  # characters of a secret
_LONGEST_HOURS = 30 * 24  # as long as the browser keeps Streamlit's cookie
_HOURS = 12.0
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_WELL_KNOWN = "/.well-known/openid-configuration"


def configured(environ: Mapping[str, str]) -> bool:
    """Whether one has to sign in."""
    return bool(environ.get("STOCKTRAIL_SIGN_IN"))


def by_cognito(environ: Mapping[str, str]) -> bool:
    """Whether one signs in with the stack's own user pool."""
    return environ.get("STOCKTRAIL_SIGN_IN") == COGNITO


def address(environ: Mapping[str, str]) -> str | None:
    """Where people open the dashboard, without a slash at the end; None when it is not said.

    Raises NotPossible when it is no address, or when passwords and cookies would travel to it openly.
    """
    said = environ.get("STOCKTRAIL_ADDRESS")
    return _safe("STOCKTRAIL_ADDRESS", said).geturl().rstrip("/") if said else None


def hours(environ: Mapping[str, str]) -> float:
    """How long one stays signed in. Raises NotPossible when it is no number of hours."""
    said = environ.get("STOCKTRAIL_SESSION_HOURS")
    try:
        found = float(said) if said else _HOURS
    except ValueError:
        found = 0
    if not 0 < found <= _LONGEST_HOURS:
        raise NotPossible(
            f"STOCKTRAIL_SESSION_HOURS is “{said}”; it is to be a number of hours up to {_LONGEST_HOURS}."
        )
    return found


@mapped
def secrets(environ: Mapping[str, str]) -> dict[str, Any]:
    """What `st.App(secrets=…)` takes: {"auth": {…}}; {} when nobody has to sign in.

    https://docs.streamlit.io/develop/concepts/connections/authentication. Asks the stack when it is its own pool that
    signs people in. Raises NotPossible for what is missing or unsafe, NotFound and Unavailable as ``connect`` does.
    """
    if not configured(environ):
        return {}
    hours(environ)  # is refused now, and not when the first has signed in
    at = address(environ) or AT_FIRST
    provider = _pool(environ, at) if by_cognito(environ) else _named(environ)
    return {"auth": {"redirect_uri": at + _CALLBACK, "cookie_secret": _cookie_secret(environ), **provider}}


def _pool(environ: Mapping[str, str], at: str) -> dict[str, Any]:
    """The stack's own user pool. Its secret is asked for, and kept nowhere."""
    stack = connect(environ)
    cognito = stack.client("cognito-idp")
    pool, name = stack.settings.user_pool, stack.settings.user_pool_client
    client = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=name)["UserPoolClient"]
    if at + _CALLBACK not in client.get("CallbackURLs", ()):
        raise NotPossible(
            f"The user pool does not send anybody back to {at}. Say “python -m services users address {at}”, or deploy "
            "the stack with the parameter DashboardUrl; without STOCKTRAIL_ADDRESS it is " + AT_FIRST + "."
        )
    served = cognito.meta.endpoint_url
    if _here(served) and not _here(at):
        raise NotPossible(
            f"The sign-in pages of the engine at {served} are for browsers on this machine, and {at} is for others. "
            "Sign in with another provider, or deploy the stack on AWS."
        )
    found = {"client_id": name, "client_secret": client["ClientSecret"], "server_metadata_url": f"{served}/{pool}"}
    found["server_metadata_url"] += _WELL_KNOWN
    credentials = stack.session.get_credentials()
    if stack.endpoint and credentials and credentials.token:  # what opens the embedded engine's gate
        found["client_kwargs"] = {"headers": {"X-Amz-Security-Token": credentials.token}}
    return found


def _named(environ: Mapping[str, str]) -> dict[str, Any]:
    where = environ["STOCKTRAIL_SIGN_IN"]
    if "://" not in where:
        raise NotPossible(f"STOCKTRAIL_SIGN_IN is “{where}”; it is to be {COGNITO}, or a provider's …{_WELL_KNOWN}.")
    _safe("STOCKTRAIL_SIGN_IN", where)
    return {
        "client_id": _needed(environ, "STOCKTRAIL_CLIENT_ID"),
        "client_secret": _needed(environ, "STOCKTRAIL_CLIENT_SECRET"),
        "server_metadata_url": where,
    }


def _needed(environ: Mapping[str, str], name: str) -> str:
    if not (said := environ.get(name)):
        raise NotPossible(f"{name} is not set; STOCKTRAIL_SIGN_IN needs it.")
    return said


def _cookie_secret(environ: Mapping[str, str]) -> str:
    """What signs the cookie that says who has signed in. Whoever knows it is whoever they want to be."""
    said = environ.get("STOCKTRAIL_COOKIE_SECRET")
    if said and len(said) < _SHORTEST:
        raise NotPossible(f"STOCKTRAIL_COOKIE_SECRET is too short: it needs {_SHORTEST} characters, made at random.")
    if said:
        return said
    if on_aws(environ):
        raise NotPossible(
            "STOCKTRAIL_COOKIE_SECRET is not set. Make one, and keep it for all starts and replicas of the dashboard: "
            'python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    kept = attach(environ).environ["AWS_SESSION_TOKEN"]  # the state folder's own secret, a file for its owner alone
    return hmac.new(kept.encode(), b"cookie", hashlib.sha256).hexdigest()


def _safe(name: str, said: str) -> SplitResult:
    """The address, if nobody on the way can read what is sent there."""
    try:
        parts = urlsplit(said)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise NotPossible(f"{name} is “{said}”, which is no address such as https://stock.example.com.")
    if parts.scheme == "http" and not _here(said):
        raise NotPossible(f"{name} is “{said}”: it is to begin with https, or everybody on the way could sign in, too.")
    return parts


def _here(where: str) -> bool:
    return urlsplit(where).hostname in _THIS_MACHINE
