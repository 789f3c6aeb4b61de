"""The commands about who is told of alerts, and when.

Owns their arguments and what they print. Knows nothing of SNS.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

from lambdas.quiet import Hours
from services import options, quiet, subscriptions, words
from services.errors import NotPossible
from services.printing import print_json
from services.stack import connect

Command = Callable[..., argparse.ArgumentParser]


def add(commands: Any, command: Command) -> None:
    """Give the command line these commands. ``command`` makes one that takes --json."""
    command(commands, "subscriptions", _list, "list who gets the alerts of which stores")
    to = command(commands, "subscribe", _subscribe, "send alerts there; it may have to be confirmed there first")
    to.add_argument("protocol", choices=list(subscriptions.PROTOCOLS), help="http: not encrypted")
    to.add_argument("endpoint", metavar="ENDPOINT", help="an address, or a number such as +4915123456789")
    _stores(to, "only of this store; may be given several times (all stores)")
    other = command(commands, "resubscribe", _change, "send the alerts of other stores there")
    other.add_argument("arn", metavar="ARN", help="as listed by “subscriptions”")
    _stores(other, "only of this store; may be given several times (all stores)")
    gone = command(commands, "unsubscribe", _unsubscribe, "send nothing there any more")
    gone.add_argument("arn", metavar="ARN", help="as listed by “subscriptions”")
    sure = command(commands, "confirm", _confirm, "confirm a subscription with what SNS has sent there")
    sure.add_argument("token", metavar="TOKEN", help="or the whole address (SubscribeURL)")
    trial = command(commands, "test-alert", _test, "send a message that says that it is a test")
    trial.add_argument("--store", type=options.name, metavar="NAME", help="to who gets the alerts of this store (all)")
    hours = command(commands, "quiet", _quiet, "print, set or end the hours in which nothing is sent")
    hours.add_argument("--from", dest="start", metavar="TIME", help="such as 22:00")
    hours.add_argument("--to", dest="end", metavar="TIME", help="such as 07:00")
    hours.add_argument("--zone", metavar="ZONE", help="whose clock counts, such as Europe/Berlin (UTC)")
    hours.add_argument("--store", type=options.name, metavar="NAME", help="of this store alone (all)")
    end = hours.add_mutually_exclusive_group()
    end.add_argument("--off", action="store_true", help="there are none, also for a store while all have some")
    end.add_argument("--as-all", action="store_true", help="the store has those of all again")


def _stores(of: argparse.ArgumentParser, words: str) -> None:
    of.add_argument("--store", dest="stores", type=options.name, action="append", default=[], metavar="S", help=words)


def _list(arguments: argparse.Namespace) -> int:
    found = subscriptions.every(connect(os.environ))
    if arguments.json:
        print_json([one.as_json() for one in found])
    elif not found:
        print("Nobody is subscribed.")
    for one in [] if arguments.json else found:
        print(words.subscription(one))
    return 0


def _subscribe(arguments: argparse.Namespace) -> int:
    made = subscriptions.subscribe(connect(os.environ), arguments.protocol, arguments.endpoint, arguments.stores)
    return _print(arguments, made)


def _change(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    subscriptions.change_stores(stack, arguments.arn, arguments.stores)
    [one] = [one for one in subscriptions.every(stack) if one.arn == arguments.arn]
    return _print(arguments, one)


def _print(arguments: argparse.Namespace, one: subscriptions.Subscription) -> int:
    if arguments.json:
        print_json(one.as_json())
    else:
        print(words.subscription(one))
    return 0


def _unsubscribe(arguments: argparse.Namespace) -> int:
    gone = subscriptions.unsubscribe(connect(os.environ), arguments.arn)
    if arguments.json:
        print_json(gone.as_json())
    else:
        print(f"Nothing is sent to {gone.endpoint} any more.")
    return 0


def _confirm(arguments: argparse.Namespace) -> int:
    arn = subscriptions.confirm(connect(os.environ), arguments.token)
    if arguments.json:
        print_json({"arn": arn})
    else:
        print(f"Confirmed: {arn}")
    return 0


def _test(arguments: argparse.Namespace) -> int:
    sent = subscriptions.send_test(connect(os.environ), arguments.store)
    if arguments.json:
        print_json(sent.as_json())
    else:
        print(words.trial(sent))
    return 0 if sent.to else 1


def _quiet(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    said = (arguments.start, arguments.end)
    if arguments.as_all:
        quiet.forget(stack, _needed(arguments.store, "--as-all needs --store"))
    elif arguments.off:
        quiet.put(stack, None, arguments.store)
    elif any(said):
        start, end = (_needed(one, "--from and --to go together") for one in said)
        quiet.put(stack, Hours(start, end, arguments.zone or "UTC"), arguments.store)
    found = quiet.hours(stack)
    if arguments.json:
        print_json({"all": _plain(found.default), "stores": {name: _plain(of) for name, of in found.stores.items()}})
        return 0
    print(f"All stores: {words.quiet(found.default) if found.default else 'no quiet hours'}")
    for store, own in sorted(found.stores.items()):
        print(f"{store}: {words.quiet(own) if own else 'no quiet hours'}")
    return 0


def _needed(said: str | None, why: str) -> str:
    if not said:
        raise NotPossible(f"{why}.")
    return said


def _plain(of: Hours | None) -> dict[str, str] | None:
    return {"from": of.start, "to": of.end, "zone": of.zone} if of else None
