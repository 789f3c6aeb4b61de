"""Subscriptions: who gets the alerts of which stores, by e-mail, text message or HTTPS; and a test of the way to them.

They are SNS's own, of the alerts topic; which stores is a filter policy on the message attribute `store`. Owns what
these say, and what may be subscribed.
https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import ClientError

from lambdas import alerts, tables, times
from services import audit
from services.access import Person, Right, needs
from services.errors import NotFound, NotPossible, mapped
from services.stack import Stack

PROTOCOLS = {"email": "e-mail", "sms": "text message", "https": "HTTPS", "http": "HTTP"}
"""What may be subscribed, and what people call it. Others that somebody added, as a queue, are shown by SNS's word."""
MOST_STORES = 150
"""SNS takes so many values in one filter policy."""
CONFIRMED, WAITING = "confirmed", "waiting"
_TOO_MANY = "SNS takes no more subscriptions for chosen stores: 200, unless AWS raises it. Subscribe to all stores."
_PENDING = "PendingConfirmation"  # what SNS lists for an ARN until then
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True, slots=True)
class Subscription:
    """``arn`` None: it waits for its confirmation, and on AWS SNS tells no more of it until then. ``stores`` None: all.
    ``rule``: a filter policy that is not ours, as JSON; it may let some stores' alerts through."""

    arn: str | None
    protocol: str
    endpoint: str
    state: str
    stores: tuple[str, ...] | None = None
    rule: str | None = None

    def gets(self, store: str) -> bool:
        """Whether the alerts of a store come here, as far as that can be told."""
        return self.state == CONFIRMED and not self.rule and (self.stores is None or store in self.stores)

    def as_json(self) -> dict[str, Any]:
        said = {name: getattr(self, name) for name in Subscription.__slots__}
        return said | {"stores": None if self.stores is None else list(self.stores)}


@dataclass(frozen=True, slots=True)
class Trial:
    """A test message that SNS took. ``to``: whom it goes to; ``waiting``: who does not get it, for want of a
    confirmation. Whether it arrived SNS does not tell."""

    at: str
    message_id: str
    to: tuple[Subscription, ...]
    waiting: tuple[Subscription, ...]

    def as_json(self) -> dict[str, Any]:
        said = {name: [one.as_json() for one in getattr(self, name)] for name in ("to", "waiting")}
        return {"at": self.at, "message_id": self.message_id} | said


@mapped
@needs(Right.MANAGE)
def every(stack: Stack) -> list[Subscription]:
    """All subscriptions, by protocol and endpoint. A request for each hundred, and one for each confirmed one.

    Of somebody with named stores, those that get the alerts of these alone: an address is nobody else's business.
    """
    return seen(_every(stack), stack.person)


def seen(found: Iterable[Subscription], person: Person) -> list[Subscription]:
    """Those of them that a person is to know of. Refused to who may not manage messages at all."""
    person.must(Right.MANAGE)
    return [one for one in found if _is_own(one, person)]


def _is_own(of: Subscription, person: Person) -> bool:
    return person.stores is None or (bool(of.stores) and set(of.stores or ()) <= person.stores)


def _every(stack: Stack) -> list[Subscription]:
    sns = stack.client("sns")
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=stack.settings.topic)
    listed = [one for page in pages for one in page["Subscriptions"]]
    found = tables.each(lambda one: _subscription(sns, one), listed)
    return sorted((one for one in found if one), key=lambda one: (one.protocol, one.endpoint))


def _subscription(sns: Any, listed: dict[str, str]) -> Subscription | None:
    arn, protocol, endpoint = listed["SubscriptionArn"], listed["Protocol"], listed["Endpoint"]
    if arn == _PENDING:
        return Subscription(None, protocol, endpoint, WAITING)
    try:
        said = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    except sns.exceptions.NotFoundException:  # it has just been removed
        return None
    state = WAITING if said.get(_PENDING) == "true" else CONFIRMED
    return Subscription(arn, protocol, endpoint, state, *_let_through(said.get("FilterPolicy", "")))


def _let_through(policy: str) -> tuple[tuple[str, ...] | None, str | None]:
    """The stores that a filter policy of ours names, or None for all; and a policy that is not ours."""
    said = json.loads(policy) if policy else {}
    if not said:
        return None, None
    names = said.get("store")
    if said.keys() == {"store"} and isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names), None
    return None, policy


@mapped
@needs(Right.MANAGE)
def subscribe(stack: Stack, protocol: str, endpoint: str, stores: Iterable[str] = ()) -> Subscription:
    """Send alerts there, of these stores or without any of all. E-mail and HTTPS have to be confirmed there first.

    Raises NotPossible when SNS would not, or can't, send there.
    """
    endpoint, only = tidy(protocol, endpoint), _wanted(stores)
    _must(stack, only)
    if any((one.protocol, one.endpoint) == (protocol, endpoint) for one in _every(stack)):
        raise NotPossible(f"{endpoint} is subscribed already. Change its stores, or remove it first.")
    audit.note(stack, audit.Did.SUBSCRIBED, **_told(protocol, endpoint), stores=_whose(only))
    attributes = {"FilterPolicy": _policy(only)} if only else {}
    sns = stack.client("sns")
    _asked(
        sns.subscribe, TopicArn=stack.settings.topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes,
        ReturnSubscriptionArn=True,
    )  # fmt: skip
    made = [one for one in every(stack) if (one.protocol, one.endpoint) == (protocol, endpoint)]
    return made[0] if made else Subscription(None, protocol, endpoint, WAITING, only or None)


@mapped
@needs(Right.MANAGE)
def change_stores(stack: Stack, arn: str, stores: Iterable[str]) -> None:
    """Send the alerts of these stores there, or without any of all. SNS may take 15 minutes to follow."""
    only = _wanted(stores)
    _must(stack, only)
    found = _known(stack, arn)
    told = _told(found.protocol, found.endpoint)
    audit.note(stack, audit.Did.RESUBSCRIBED, **told, was=found.rule or _whose(found.stores), now=_whose(only))
    sns = stack.client("sns")
    _asked(
        sns.set_subscription_attributes, SubscriptionArn=arn, AttributeName="FilterPolicy",
        AttributeValue=_policy(only),
    )  # fmt: skip


@mapped
@needs(Right.MANAGE)
def unsubscribe(stack: Stack, arn: str) -> Subscription:
    """Send nothing there any more. Raises NotFound when there is no such subscription to the alerts."""
    found = _known(stack, arn)
    audit.note(stack, audit.Did.UNSUBSCRIBED, **_told(found.protocol, found.endpoint))
    stack.client("sns").unsubscribe(SubscriptionArn=arn)
    return found


@mapped
@needs(Right.MANAGE)
def confirm(stack: Stack, said: str) -> str:
    """Confirm one that waits, by the token or the address that SNS sent there. Its ARN."""
    token = said.strip()
    if "://" in token:
        token = next(iter(parse_qs(urlsplit(token).query).get("Token", [])), "")
    if not token:
        raise NotPossible("That address holds no token. SNS sends one that ends in &Token=…")
    sns = stack.client("sns")
    audit.note(stack, audit.Did.CONFIRMED)
    return str(_asked(sns.confirm_subscription, TopicArn=stack.settings.topic, Token=token)["SubscriptionArn"])


@mapped
@needs(Right.MANAGE)
def send_test(stack: Stack, store: str | None = None) -> Trial:
    """Send a message that says that it is a test, the way that alerts go: to who gets those of a store, or to all.

    A subscription for some stores lets through only what names one of them, so a test for all names one store of each.
    The attribute `kind` tells a test from an alert.
    """
    _must(stack, (store,) if store else ())
    known = _every(stack)
    names = sorted({one.stores[0] for one in known if one.stores})
    for_store = {"DataType": "String", "StringValue": store} if store else {}
    for_all = {"DataType": "String.Array", "StringValue": json.dumps(names, ensure_ascii=False)} if names else {}
    attributes = {"kind": {"DataType": "String", "StringValue": "test"}}
    attributes |= {"store": attribute} if (attribute := for_store or for_all) else {}
    sns, at = stack.client("sns"), times.now()
    audit.note(stack, audit.Did.TESTED, store=store)
    answer = _asked(
        sns.publish, TopicArn=stack.settings.topic, Subject=alerts.heading(alerts.TEST),
        Message=alerts.test_message(store), MessageAttributes=attributes,
    )  # fmt: skip
    to = [one for one in known if (one.gets(store) if store else one.state == CONFIRMED and not one.rule)]
    waits = [one for one in known if one.state == WAITING and (not store or not one.stores or store in one.stores)]
    own = (tuple(one for one in part if _is_own(one, stack.person)) for part in (to, waits))
    return Trial(at, answer["MessageId"], *own)


def _must(stack: Stack, stores: Sequence[str]) -> None:
    """Of these stores, or with none of all."""
    if stores:
        stack.person.must(Right.MANAGE, stores)
    else:
        stack.person.must_for_all(Right.MANAGE, "Choose which of your stores: none means all of them.")


def tidy(protocol: str, endpoint: str) -> str:
    """An endpoint as SNS takes it; NotPossible says what is wrong with it."""
    given = endpoint.strip()
    if protocol == "email" and _EMAIL.fullmatch(given):
        return given
    if protocol == "sms" and _PHONE.fullmatch(number := re.sub(r"[ ()./-]", "", re.sub(r"^00", "+", given))):
        return number
    if protocol in ("http", "https") and _is_address(protocol, given):
        return given
    wrong = {
        "email": f"“{given}” is no e-mail address, such as anna@example.org.",
        "sms": f"“{given}” is no telephone number with its country's code, such as +49 151 23456789.",
        "https": f"“{given}” is no address that begins with https://",
        "http": f"“{given}” is no address that begins with http://",
    }
    raise NotPossible(wrong.get(protocol, f"“{protocol}” is none of {', '.join(PROTOCOLS)}."))


def _is_address(protocol: str, given: str) -> bool:
    try:
        parts = urlsplit(given)
        return parts.scheme == protocol and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", given)
    except ValueError:  # a port that is no number, brackets that do not match
        return False


def _wanted(stores: Iterable[str]) -> tuple[str, ...]:
    """The stores of a filter policy; none: all of them."""
    only = tuple(dict.fromkeys(name for one in stores if (name := one.strip())))
    if len(only) > MOST_STORES:
        raise NotPossible(
            f"SNS takes at most {MOST_STORES} stores for one subscription, and these are {len(only)}. Subscribe to all "
            "stores, or let several endpoints share them."
        )
    if marked := [name for name in only if '"' in name or "\\" in name]:
        raise NotPossible(f"SNS can't filter by a name with a quotation mark or a backslash: {marked[0]}")
    return only


def _told(protocol: str, endpoint: str) -> dict[str, str]:
    """Who is subscribed, as the audit has it: of an address the host alone, as the rest of it may be a secret."""
    return {"protocol": protocol, "endpoint": urlsplit(endpoint).hostname or "" if "://" in endpoint else endpoint}


def _whose(stores: Sequence[str] | None) -> str:
    return ", ".join(stores) if stores else "all stores"


def _policy(stores: Sequence[str]) -> str:
    return json.dumps({"store": list(stores)} if stores else {}, ensure_ascii=False)


def _known(stack: Stack, arn: str) -> Subscription:
    for one in every(stack):
        if one.arn == arn:
            return one
    raise NotFound(f"There is no subscription {arn}. One that waits for its confirmation ends by itself, in two days.")


def _asked(call: Any, **parameters: Any) -> Any:
    """SNS's answer; what it takes for our fault is told as such."""
    try:
        return call(**parameters)
    except ClientError as error:
        said = error.response["Error"]
        code = said["Code"].removesuffix("Exception")
        if code == "FilterPolicyLimitExceeded":
            raise NotPossible(_TOO_MANY) from error
        if code in ("InvalidParameter", "InvalidParameterValue", "SubscriptionLimitExceeded"):
            raise NotPossible(f"SNS does not take it: {said.get('Message')}") from error
        raise
