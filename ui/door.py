"""Who sits at this browser, and what they see who may not come in.

Owns how long one stays signed in, the page to sign in on, and the one that says that nobody has given access. What a
role allows is in `services.access`, and is refused there. Without sign-in everybody is whoever runs the dashboard.
"""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, ParamSpec
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from services import audit, ended, people, signing
from services.access import MACHINE, Person
from services.audit import Did
from services.errors import Refused
from services.people import Given
from ui import connection, plain
from ui.connection import Hashes, Link

P = ParamSpec("P")

_AHEAD_SECONDS = 300  # a provider's clock may be so far ahead of ours
_KNOWN_SECONDS = 5
_NAMED = 3  # stores, before the rest is counted
BY_THE_ENGINE: Hashes = {Link: lambda held: held.serial}
_ended: dict[str, float] = {}
"""The sign-ins that somebody has ended here, and when they would have ended by themselves: at once, and whatever can't
be reached. The stack knows them as well, for the other dashboards and for the next start."""
_begun: dict[str, float] = {}
"""Those of which the audit knows that they came in here, and when they will have ended by themselves."""


def person() -> Person:
    """Who this session is for. Who is not signed in, or has no access, gets a page that says so, and the run ends.

    To be asked at the start of a page, and again by every part of it that runs by itself: a sign-in ends while a page
    is open, and what one may do changes. Raises StocktrailError when the stack can't be asked.
    """
    if not signing.configured(os.environ):
        return MACHINE
    claims = st.user.to_dict()
    if not counts(claims):
        _instead(_sign_in)
    found = people.person(_known(connection.base()), claims, _via())
    if found.role is None:
        _instead(_no_access, found)
    if (mark := _mark(claims)) not in _begun:
        audit.note(connection.base().stack.acting(found), Did.SIGNED_IN)
        _remember(_begun, mark)
    return found


def asker() -> Callable[[], Person]:
    """For what is made when somebody takes it away, which is at no run of a page: the same person as it will be then.
    That raises Refused when the sign-in has ended."""
    if not signing.configured(os.environ):
        return lambda: MACHINE
    claims, via = st.user.to_dict(), _via()

    def ask() -> Person:
        if not counts(claims):
            raise Refused("Your sign-in has ended. Sign in again.")
        return people.person(_known(connection.base()), claims, via)

    return ask


def refused(who: Person, why: str) -> None:
    """Write down what somebody was refused, once in a session: a page that stands open is drawn again and again."""
    told = st.session_state.setdefault("refused", set())
    if not who.of_machine and why not in told:
        told.add(why)
        audit.note(connection.base().stack.acting(who), Did.REFUSED, what=why)


def _via() -> str:
    """The network address that is asked from. Where TLS ends before us, at a load balancer, it is what that one has
    added to what it was told."""
    if (signing.address(os.environ) or "").startswith("https:") and not st.get_option("server.sslCertFile"):
        return st.context.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return st.context.ip_address or "this machine"  # Streamlit does not tell of localhost


def signed(who: Person) -> None:
    """For the sidebar: who is signed in, what they may do and see, and a way out."""
    if not signing.configured(os.environ):
        return
    st.text(who.name)  # as it stands: somebody may copy it
    st.caption(f"{str(who.role).capitalize()} · {plain.escaped(_stores(who))}")
    _way_out()


def forget() -> None:
    """The access table was changed from here: it is read anew."""
    _known.clear()


@st.cache_resource(show_spinner=False, ttl=_KNOWN_SECONDS, max_entries=2, hash_funcs=BY_THE_ENGINE)
def _known(held: Link) -> Mapping[str, Given]:
    """The access table, for all browsers together."""
    return people.known(held.stack)


@st.cache_resource(show_spinner=False, ttl=_KNOWN_SECONDS, max_entries=2, hash_funcs=BY_THE_ENGINE)
def _ended_anywhere(held: Link) -> Mapping[str, float]:
    """The sign-ins that were ended at whatever dashboard of this stack, for all browsers together."""
    return ended.known(held.stack)


def counts(claims: Mapping[str, Any]) -> bool:
    """Whether somebody is signed in who has these claims, as they stand in Streamlit's cookie.

    It has checked who signed them and that the cookie is its own. How old they are, and whether somebody has signed
    out, here or at another dashboard, it leaves to us. Raises StocktrailError when the stack can't be asked.
    """
    begun = claims.get("iat")
    if claims.get("is_logged_in") is not True or not isinstance(begun, int | float):
        return False
    mark = _mark(claims)
    if mark in _ended or not -_AHEAD_SECONDS <= time.time() - begun < _seconds():
        return False
    return mark not in _ended_anywhere(connection.base())


def _seconds() -> float:
    return signing.hours(os.environ) * 3600


def _mark(claims: Mapping[str, Any]) -> str:
    """Tells one sign-in from another, of the same person, too."""
    said = [str(claims.get(claim)) for claim in ("iss", "sub", "iat", "nonce", "jti")]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _instead(draw: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> NoReturn:
    context = get_script_run_ctx()
    if context and context.fragment_ids_this_run:
        st.rerun()  # a part of a page: the whole of it is to go
    draw(*args, **kwargs)
    st.stop()
    raise Refused("Nobody is signed in here.")  # where no page is drawn, neither of the two ends anything


def _sign_in() -> None:
    st.title("Stocktrail", anchor=False)
    st.write("What is in stock, what changed it, and why. Sign in with the account that you were given for it.")
    at = signing.address(os.environ) or signing.AT_FIRST
    if _elsewhere(at):  # there the provider sends everybody back to, and no cookie of here counts
        st.link_button(f"Sign in at {at}", at, type="primary")
    elif st.button("Sign in", type="primary", key="sign-in"):
        if signing.by_cognito(os.environ):  # an engine that was started again may listen on another port
            connection.doubt()
            st.secrets.merge_programmatic_secrets(signing.secrets(os.environ))
        st.login()


def _elsewhere(at: str) -> bool:
    here, there = urlsplit(st.context.url or at), urlsplit(at)
    return (here.scheme, here.netloc) != (there.scheme, there.netloc)


def _no_access(who: Person) -> None:
    st.title("No access yet", anchor=False)
    st.write("You are signed in, and nobody has given you access to this dashboard. Ask who runs it, and tell them:")
    st.code(who.name, language=None)
    st.write("As soon as you have access, this page goes on by itself.")
    _way_out()
    _look_again()


@st.fragment(run_every=_KNOWN_SECONDS)
def _look_again() -> None:
    if people.person(_known(connection.base()), st.user.to_dict()).role is not None:
        st.rerun()


def _way_out() -> None:
    st.button("Sign out", on_click=_leave, key="sign-out", icon=":material/logout:")


def _leave() -> None:
    """From here on this sign-in counts in no tab, and no copy of its cookie does; elsewhere within _KNOWN_SECONDS."""
    claims = st.user.to_dict()
    mark = _mark(claims)
    _remember(_ended, mark)  # first: nothing may keep anybody in
    held = connection.base()
    ended.put(held.stack, mark, _ended[mark])
    who = people.person(_known(held), claims, _via())
    audit.note(held.stack.acting(who), Did.SIGNED_OUT)
    st.logout()


def _remember(kept: dict[str, float], mark: str) -> None:
    """For as long as the sign-in could last."""
    now = time.time()
    for old in [old for old, until in kept.items() if until < now]:
        kept.pop(old, None)
    kept[mark] = now + _seconds() + _AHEAD_SECONDS


def _stores(who: Person) -> str:
    if who.stores is None:
        return "all stores"
    names = sorted(who.stores)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more if names else "no store"
