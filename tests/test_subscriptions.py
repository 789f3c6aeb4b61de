"""Who is told of alerts: subscribed, confirmed, filtered by store, told of a test, and no longer subscribed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from services import alerts, subscriptions
from services.errors import NotFound, NotPossible
from services.stack import ROOT, Stack
from services.subscriptions import CONFIRMED, MOST_STORES, WAITING, Subscription
from tests.conftest import csv, sent
from tests.topic import Listener, Server
from tests.waiting import until


@pytest.fixture
def server(stack: Stack) -> Iterator[Server]:
    """A server that nobody has subscribed yet; afterwards nobody has any more."""
    with Server() as made:
        yield made
        for one in subscriptions.every(stack):
            if one.arn and one.endpoint == made.address:
                subscriptions.unsubscribe(stack, one.arn)


def find(stack: Stack, endpoint: str) -> Subscription:
    [found] = [one for one in subscriptions.every(stack) if one.endpoint == endpoint]
    return found


def confirmed(stack: Stack, server: Server, *stores: str) -> str:
    """Subscribe the server to these stores, and confirm it; its ARN."""
    subscriptions.subscribe(stack, "http", server.address, stores)
    token = until(lambda: server.tokens)[-1]
    return subscriptions.confirm(stack, token)


def test_an_endpoint_waits_until_it_confirms_and_gets_nothing_before(stack: Stack, server: Server, store: str):
    made = subscriptions.subscribe(stack, "http", server.address, [store])
    assert (made.state, made.stores, made.endpoint) == (WAITING, (store,), server.address)
    sent(stack, csv(store, "Tea,0"))
    token = until(lambda: server.tokens)[0]
    assert subscriptions.confirm(stack, f"https://sns.example/?Action=ConfirmSubscription&Token={token}") == made.arn
    assert find(stack, server.address).state == CONFIRMED
    sent(stack, csv(store, "Jam,0"))
    assert [text.split(" is out")[0] for text in server.texts(of=store, at_least=1)] == [f"{store}: Jam"]


def test_a_subscription_for_some_stores_gets_their_alerts_and_no_others_until_that_is_changed(
    stack: Stack, server: Server, store: str
):
    arn = confirmed(stack, server, store, f"{store} two")
    for name in (f"{store} other", store, f"{store} two"):
        sent(stack, csv(name, "Tea,0"))
    assert sorted(text.split(":")[0] for text in server.texts(of=store, at_least=2)) == [store, f"{store} two"]
    subscriptions.change_stores(stack, arn, [f"{store} other"])
    assert find(stack, server.address).stores == (f"{store} other",)
    sent(stack, csv(store, "Jam,0"))
    sent(stack, csv(f"{store} other", "Jam,0"))
    assert "Jam" in server.texts(of=f"{store} other: Jam", at_least=1)[-1]
    subscriptions.change_stores(stack, arn, [])
    assert find(stack, server.address).stores is None
    sent(stack, csv(store, "Rye,0"))
    server.texts(of=f"{store}: Rye", at_least=1)
    assert sum("Jam" in one["Message"] for one in server.seen) == 1


def test_what_is_unsubscribed_gets_nothing_any_more(stack: Stack, server: Server, store: str):
    arn = confirmed(stack, server)
    assert subscriptions.unsubscribe(stack, arn).endpoint == server.address
    with Listener(stack) as listener:
        sent(stack, csv(store, "Tea,0"))
        listener.received(of=store, at_least=1)
    assert [one for one in server.seen if store in one["Message"]] == []
    with pytest.raises(NotFound, match="no subscription"):
        subscriptions.unsubscribe(stack, arn)


def test_what_is_subscribed_already_is_changed_and_not_added(stack: Stack, server: Server):
    confirmed(stack, server, "Berlin")
    with pytest.raises(NotPossible, match="subscribed already"):
        subscriptions.subscribe(stack, "http", server.address)
    assert find(stack, server.address).stores == ("Berlin",)


def test_a_test_for_a_store_comes_to_who_gets_its_alerts_and_says_that_it_is_one(
    stack: Stack, server: Server, store: str
):
    confirmed(stack, server, store)
    missed = subscriptions.send_test(stack, f"{store} other")
    assert server.address not in [one.endpoint for one in missed.to]
    found = subscriptions.send_test(stack, store)
    assert server.address in [one.endpoint for one in found.to]
    [got] = until(lambda: server.seen)
    assert got["MessageId"] == found.message_id
    assert got["Message"].startswith("This is a test from Stocktrail")
    assert {name: one["Value"] for name, one in got["MessageAttributes"].items()} == {"kind": "test", "store": store}
    assert [one for one in alerts.history(stack, 10_000) if one.store == store] == []


def test_a_test_for_all_comes_also_to_who_gets_only_some_stores(stack: Stack, server: Server, store: str):
    confirmed(stack, server, store)
    with Server() as second:
        arn = confirmed(stack, second, f"{store} other", "Nowhere")
        with Listener(stack) as whole:
            found = subscriptions.send_test(stack)
            for got in (server, second):
                until(lambda got=got: [one for one in got.seen if one["MessageId"] == found.message_id])
            whole.received(of="This is a test", at_least=1)
        subscriptions.unsubscribe(stack, arn)
    assert {server.address, second.address} <= {one.endpoint for one in found.to}


def test_a_test_says_who_does_not_get_it_for_want_of_a_confirmation(stack: Stack, server: Server, store: str):
    subscriptions.subscribe(stack, "http", server.address, [store])
    found = subscriptions.send_test(stack, store)
    assert [one.endpoint for one in found.waiting] == [server.address]
    assert server.address not in [one.endpoint for one in found.to]


def test_a_filter_that_is_not_ours_is_shown_as_it_is(stack: Stack, server: Server):
    arn = confirmed(stack, server)
    rule = json.dumps({"store": [{"prefix": "Ber"}]})
    stack.client("sns").set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=rule
    )
    assert (find(stack, server.address).rule, find(stack, server.address).stores) == (rule, None)


@pytest.mark.parametrize(
    ("protocol", "given", "tidied"),
    [
        ("email", " anna@example.org ", "anna@example.org"),
        ("sms", "+49 (151) 234-567 89", "+4915123456789"),
        ("sms", "0049 151 23456789", "+4915123456789"),
        ("https", "https://example.org:8443/a?b=c", "https://example.org:8443/a?b=c"),
        ("http", "http://127.0.0.1:80", "http://127.0.0.1:80"),
    ],
)
def test_an_endpoint_is_tidied(protocol: str, given: str, tidied: str):
    assert subscriptions.tidy(protocol, given) == tidied


@pytest.mark.parametrize(
    ("protocol", "given", "says"),
    [
        ("email", "anna", "no e-mail address"),
        ("email", "anna@example", "no e-mail address"),
        ("email", "a b@example.org", "no e-mail address"),
        ("sms", "0151 23456789", "country's code"),
        ("sms", "+49", "country's code"),
        ("https", "http://example.org", "begins with https://"),
        ("https", "https://", "begins with https://"),
        ("https", "https://example.org:port/", "begins with https://"),
        ("http", "example.org", "begins with http://"),
        ("fax", "1", "none of email, sms, https, http"),
    ],
)
def test_an_endpoint_that_can_not_be_is_refused_in_words(protocol: str, given: str, says: str):
    with pytest.raises(NotPossible, match=says):
        subscriptions.tidy(protocol, given)


@pytest.mark.parametrize(
    ("stores", "says"),
    [([f"Store {n}" for n in range(MOST_STORES + 1)], "at most 150 stores"), (['The "Corner"'], "quotation mark")],
)
def test_stores_that_sns_can_not_filter_by_are_refused_in_words(stack: Stack, stores: list[str], says: str):
    with pytest.raises(NotPossible, match=says):
        subscriptions.subscribe(stack, "email", "anna@example.org", stores)


def test_as_many_stores_as_sns_takes_are_taken(stack: Stack):
    made = subscriptions.subscribe(stack, "email", "many@example.org", [f"Störe {n}" for n in range(MOST_STORES)])
    assert made.stores is not None
    assert len(made.stores) == MOST_STORES
    subscriptions.unsubscribe(stack, made.arn or "")


# --- the command line ----------------------------------------------------------------------------------------------


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "services", *arguments]
    return subprocess.run(line, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("stack")
def test_the_command_line_subscribes_lists_changes_tests_and_unsubscribes(store: str):
    address = f"{store.replace(' ', '')}@example.org"
    made = run("subscribe", "email", address, "--store", store, "--store", f"{store} two")
    assert made.stdout.startswith(f"e-mail {address}: {store}, {store} two; confirmed\n")
    [listed] = [one for one in json.loads(run("subscriptions", "--json").stdout) if one["endpoint"] == address]
    assert (listed["state"], listed["stores"]) == ("confirmed", [store, f"{store} two"])
    changed = run("resubscribe", listed["arn"])
    assert f"e-mail {address}: all stores; confirmed" in changed.stdout
    tried = run("test-alert", "--store", store)
    assert (tried.returncode, f"e-mail {address}" in tried.stdout) == (0, True)
    assert run("unsubscribe", listed["arn"]).stdout == f"Nothing is sent to {address} any more.\n"
    again = run("unsubscribe", listed["arn"])
    assert (again.returncode, "There is no subscription" in again.stderr) == (1, True)
    wrong = run("subscribe", "sms", "0151")
    assert (wrong.returncode, "country's code" in wrong.stderr) == (1, True)


@pytest.mark.usefixtures("stack")
def test_the_command_line_sets_and_ends_quiet_hours(store: str):
    said = run("quiet", "--from", "22:00", "--to", "07:00", "--zone", "Europe/Berlin", "--store", store)
    assert f"{store}: 22:00 to 07:00, Europe/Berlin" in said.stdout
    known = json.loads(run("quiet", "--json").stdout)
    assert (known["all"], known["stores"][store]["from"]) == (None, "22:00")
    assert store not in run("quiet", "--store", store, "--off").stdout
    assert run("quiet", "--from", "22:00").returncode == 1
    assert "no time zone" in run("quiet", "--from", "22:00", "--to", "07:00", "--zone", "Nowhere").stderr
