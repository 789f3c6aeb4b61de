"""The Alerts page's part on notifications: what waits, who is told, a test that is sent, and quiet hours."""

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lambdas import times
from lambdas.quiet import Hours
from services import alerts, quiet, subscriptions
from services import stack as stacks
from services.stack import Stack
from services.subscriptions import WAITING, Subscription
from tests.conftest import csv, sent
from tests.test_notifications import around
from tests.test_pages import at_home, opened, said, table
from tests.topic import Listener
from tests.waiting import until


@pytest.fixture
def shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The tests' engine, as the pages reach it; nobody is subscribed."""
    at_home(home, monkeypatch)
    found = stacks.connect(os.environ)
    for one in subscriptions.every(found):
        subscriptions.unsubscribe(found, one.arn or "")
    return found


def click(app: AppTest, label: str) -> AppTest:
    [button] = [one for one in app.button if one.label == label]
    return button.click().run()


def unsent(app: AppTest) -> list[str]:
    return [one.value for one in app.warning if "not sent yet" in one.value]


def test_what_waits_is_told_with_its_time_and_reason(shop: Stack, store: str):
    quiet.put(shop, around(-2, 2), store)
    others = unsent(opened("pages/alerts.py"))
    sent(shop, csv(store, "Tea,0", "Jam,0"))
    [due] = {one.due for one in alerts.held(shop) if one.store == store}
    assert due
    day = times.moment(due)

    def told() -> AppTest | None:
        page = opened("pages/alerts.py")
        line = any(f"wait until {day:%H:%M}: quiet hours." in one.value for one in page.info)
        return page if line or f"{day:%d %b}" in said(page) else None

    app = until(told)
    waiting = table(app, "until")
    assert set(waiting[waiting["store"] == store]["item"]) == {"Tea", "Jam"}
    assert unsent(app) == others  # what is held is told of here, and not as something that is late
    quiet.put(shop, None, store)


def test_somebody_is_subscribed_changed_tested_and_removed(shop: Stack, store: str):
    sent(shop, csv(store, "Tea,3"))
    app = opened("pages/alerts.py")
    assert "Nobody is subscribed" in said(app)
    app.text_input(key="subscribe-to").set_value("anna")
    app = click(app, "Subscribe")
    assert any("no e" in one.value and "address" in one.value for one in app.warning)
    assert app.text_input(key="subscribe-to").value == "anna"
    app.text_input(key="subscribe-to").set_value("anna@example.org")
    app.multiselect(key="subscribe-stores").set_value([store])
    app = click(app, "Subscribe")
    assert any("is subscribed" in one.value for one in app.success)
    shown = table(app, "alerts of")
    assert [tuple(row) for row in shown.values] == [("✓ Confirmed", "anna@example.org", "e-mail", store)]
    [anna] = subscriptions.every(shop)
    assert anna.stores == (store,)
    app.multiselect(key=f"stores-{anna.arn}").set_value([])
    app = click(app, "Save its stores")
    assert table(app, "alerts of")["alerts of"][0] == "all stores"
    with Listener(shop) as listener:
        app = click(app, "Send a test message")
        listener.received(of="This is a test from Stocktrail", at_least=1)
    assert any("Sent to 2 subscribers" in one.value for one in app.success)
    app = click(app, "Remove")
    assert "Nothing is sent to" in said(app)
    assert subscriptions.every(shop) == []


def test_a_test_that_nobody_gets_says_so(shop: Stack):
    app = click(opened("pages/alerts.py"), "Send a test message")
    assert subscriptions.every(shop) == []
    assert any("nobody is subscribed to get it" in one.value for one in app.warning)


def test_quiet_hours_are_set_and_ended_on_the_page_for_a_store_and_for_all(shop: Stack, store: str):
    sent(shop, csv(store, "Tea,3"))
    app = opened("pages/alerts.py")
    app.selectbox(key="quiet-of").set_value(store).run()
    mark = f"quiet-{store}-own"
    app.selectbox(key=f"{mark}-zone").set_value("Europe/Berlin")
    app = click(app, "Save")
    assert quiet.hours(shop).of(store) == Hours("22:00", "07:00", "Europe/Berlin")
    assert "22" in said(app)
    app = click(app, "No quiet hours")
    assert quiet.hours(shop).of(store) is None
    assert store not in quiet.hours(shop).stores


def test_a_store_may_have_no_quiet_hours_or_those_of_all_again(shop: Stack, store: str):
    sent(shop, csv(store, "Tea,3"))
    for_all = Hours("01:00", "02:00", "UTC")
    quiet.put(shop, for_all)
    app = opened("pages/alerts.py")
    app.selectbox(key="quiet-of").set_value(store).run()
    app = click(app, "No quiet hours")
    assert quiet.hours(shop).of(store) is None
    click(app, "As for all stores")
    assert quiet.hours(shop).of(store) == for_all
    quiet.put(shop, None)


def test_a_subscription_that_waits_is_confirmed_with_what_was_sent_there(
    shop: Stack, monkeypatch: pytest.MonkeyPatch
):  # fmt: skip
    used: list[str] = []
    waits = Subscription(None, "https", "https://example.org/alerts", WAITING)
    monkeypatch.setattr(subscriptions, "every", lambda _: [waits])
    monkeypatch.setattr(subscriptions, "confirm", lambda _, token: used.append(token))
    assert shop
    app = opened("pages/alerts.py")
    app.text_input(key="confirm-token").set_value("a-token")
    app = click(app, "Confirm")
    assert used == ["a-token"]
    assert "Confirmed." in said(app)
