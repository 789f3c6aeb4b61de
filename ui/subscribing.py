"""Who is told: subscriptions with their state, adding and removing them, and a test message that is really sent."""

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from services import subscriptions, words
from services.subscriptions import CONFIRMED, MOST_STORES, PROTOCOLS, WAITING, Subscription
from ui import plain, reads, saying, tables
from ui.reads import Link

STATES = {CONFIRMED: "✓ Confirmed", WAITING: "◔ Unconfirmed"}
_OFFERED = ("email", "sms", "https")
_SAID = "subscribing-said"
_WHOLE = "All stores"
_HINTS = {"email": "anna@example.org", "sms": "+49 151 23456789", "https": "https://example.org/alerts"}


def draw(held: Link) -> None:
    """The table, what the last click came to, and the forms."""
    st.subheader("Who is told", anchor=False)
    found = reads.subscriptions(held)
    if found:
        tables.show(_frame(found), "subscribers", "Who gets the alerts of which stores", tables.height(len(found)))
    else:
        st.info("Nobody is subscribed: alerts are shown here, and sent to no one.", icon=":material/notifications_off:")
    saying.draw(_SAID)
    stores = reads.stores(held)
    _draw_test(held, stores)
    _draw_new(held, stores)
    if mine := [one for one in found if one.arn]:
        _draw_change(mine, stores)
    if any(one.state == WAITING for one in found):
        _draw_confirm()


def _frame(found: Sequence[Subscription]) -> pd.DataFrame:
    rows = [
        (STATES[one.state], one.endpoint, PROTOCOLS.get(one.protocol, one.protocol), words.whose(one)) for one in found
    ]
    return pd.DataFrame(rows, columns=["state", "to", "by", "alerts of"])


def _draw_test(held: Link, stores: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = None if held.person.stores is None else 0
        st.selectbox("Test for", stores, index=first, placeholder=_WHOLE, key="test-store", width=260)
        st.button("Send a test message", icon=":material/send:", on_click=_test)


def _draw_new(held: Link, stores: Sequence[str]) -> None:
    with st.expander("Add a subscriber", icon=":material/person_add:"):
        how = st.segmented_control(
            "By", _OFFERED, default="email", required=True, key="subscribe-by", format_func=lambda one: PROTOCOLS[one]
        )
        with st.form("subscribe"):
            st.text_input("To", key="subscribe-to", placeholder=_HINTS[how or "email"])
            st.multiselect(
                "Alerts of", stores, key="subscribe-stores", max_selections=MOST_STORES,
                placeholder=_WHOLE if held.person.stores is None else "Choose stores", accept_new_options=True,
                help="Empty: of all stores, also of those to come." if held.person.stores is None else None,
            )  # fmt: skip
            st.form_submit_button("Subscribe", type=plain.main_button(), on_click=_subscribe)


def _draw_change(found: Sequence[Subscription], stores: Sequence[str]) -> None:
    with st.expander("Change or remove one", icon=":material/edit:"):
        named = {one.arn: one for one in found}
        arn = st.selectbox("Subscriber", list(named), key="which-subscriber", format_func=lambda arn: _name(named[arn]))
        one = named[arn]
        key = f"stores-{arn}"
        with st.form(f"change-{arn}"):
            st.multiselect(
                "Alerts of", sorted({*stores, *(one.stores or ())}), default=list(one.stores or ()), key=key,
                placeholder=_WHOLE, max_selections=MOST_STORES, accept_new_options=True,
            )  # fmt: skip
            with st.container(horizontal=True):
                st.form_submit_button("Save its stores", on_click=_change, args=(one, key))
                st.form_submit_button("Remove", icon=":material/person_remove:", on_click=_remove, args=(one,))


def _draw_confirm() -> None:
    with st.expander("Confirm one that waits", icon=":material/mark_email_read:"):
        st.caption(
            "Who is subscribed confirms it there. If that can’t be done, what SNS has sent there can be used here."
        )
        with st.form("confirm"):
            st.text_input("Its address (SubscribeURL) or token", key="confirm-token")
            st.form_submit_button("Confirm", on_click=_confirm)


def _name(one: Subscription) -> str:
    return f"{PROTOCOLS.get(one.protocol, one.protocol)} {one.endpoint}"


def _test() -> None:
    def send() -> tuple[bool, str]:
        sent = subscriptions.send_test(reads.link().stack, st.session_state["test-store"])
        return bool(sent.to), words.trial(sent)

    _done(send)


def _subscribe() -> None:
    def subscribe() -> tuple[bool, str]:
        how, to, stores = (st.session_state[f"subscribe-{name}"] for name in ("by", "to", "stores"))
        made = subscriptions.subscribe(reads.link().stack, how, to, stores)
        st.session_state["subscribe-to"], st.session_state["subscribe-stores"] = "", []
        waits = ". It has to be confirmed there first: SNS has sent a message." if made.state == WAITING else "."
        return True, f"{_name(made)} is subscribed{waits}"

    _done(subscribe)


def _change(one: Subscription, key: str) -> None:
    def change() -> tuple[bool, str]:
        subscriptions.change_stores(reads.link().stack, one.arn or "", st.session_state[key])
        return True, f"{_name(one)}: its stores are saved. It may take SNS a quarter of an hour to follow."

    _done(change)


def _remove(one: Subscription) -> None:
    def remove() -> tuple[bool, str]:
        subscriptions.unsubscribe(reads.link().stack, one.arn or "")
        return True, f"Nothing is sent to {one.endpoint} any more."

    _done(remove)


def _confirm() -> None:
    def confirm() -> tuple[bool, str]:
        subscriptions.confirm(reads.link().stack, st.session_state["confirm-token"])
        st.session_state["confirm-token"] = ""
        return True, "Confirmed."

    _done(confirm)


def _done(work: Callable[[], tuple[bool, str]]) -> None:
    """A click: what it came to is told by the run that follows."""
    saying.done(_SAID, work)
    reads.forget_subscriptions()
