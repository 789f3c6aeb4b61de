"""The commands about people: the users of the stack's own user pool, and who may do what.

Owns the pool's users, and these commands' arguments and prints. Entries are `services.people`'s. With another provider
its own tools make users, and `access` gives them their roles.
"""

import argparse
import os
import secrets
import string
from collections.abc import Callable, Iterator
from typing import Any

from services import audit, options, people, signing
from services.access import OF_STORES, Right, Role, needs
from services.errors import NotFound, NotPossible, mapped
from services.people import NOBODY, Given
from services.printing import print_json
from services.stack import Stack, connect

Command = Callable[..., argparse.ArgumentParser]
_ROLES = [role.value for role in Role]


@needs(Right.ADMINISTER)
@mapped
def add(stack: Stack, mail: str, password: str | None = None) -> str | None:
    """Make a user of the pool, whose address is taken for verified. Without a password: one is made and given back,
    and has to be changed at the first sign-in. Raises NotPossible when there is one of that name, or the password is
    too simple."""
    cognito, pool, name = stack.client("cognito-idp"), stack.settings.user_pool, _mail(mail)
    made = password or _password()
    audit.note(stack, audit.Did.USER_MADE, name=name)
    verified = [{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}]
    try:
        cognito.admin_create_user(
            UserPoolId=pool, Username=name, UserAttributes=verified, TemporaryPassword=made, MessageAction="SUPPRESS"
        )
        if password:
            cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    except cognito.exceptions.UsernameExistsException as error:
        raise NotPossible(f"There is a user {name} already; “access set” says what they may do.") from error
    except cognito.exceptions.InvalidPasswordException as error:
        raise NotPossible(f"This password won't do: {error.response['Error']['Message']}") from error
    return None if password else made


@needs(Right.ADMINISTER)
@mapped
def remove(stack: Stack, mail: str) -> None:
    """Delete a user of the pool. Raises NotFound."""
    cognito, name = stack.client("cognito-idp"), _mail(mail)
    audit.note(stack, audit.Did.USER_DELETED, name=name)
    try:
        cognito.admin_delete_user(UserPoolId=stack.settings.user_pool, Username=name)
    except cognito.exceptions.UserNotFoundException as error:
        raise NotFound(f"There is no user {name}.") from error


@needs(Right.ADMINISTER)
@mapped
def every(stack: Stack) -> list[dict[str, Any]]:
    """The pool's users by address: ``email``, ``status`` as Cognito calls it, ``groups``."""
    cognito, pool = stack.client("cognito-idp"), stack.settings.user_pool
    found = []
    for user in _users(cognito, pool):
        said = {one["Name"]: one["Value"] for one in user["Attributes"]}
        groups = cognito.admin_list_groups_for_user(UserPoolId=pool, Username=user["Username"])["Groups"]
        named = sorted(group["GroupName"] for group in groups)
        found.append({"email": said.get("email", ""), "status": user["UserStatus"], "groups": named})
    return sorted(found, key=lambda one: one["email"])


@needs(Right.ADMINISTER)
@mapped
def send_back_to(stack: Stack, address: str) -> None:
    """Let the pool send people back to a dashboard at this address after they have signed in or out, and nowhere else.

    The stack's parameter DashboardUrl does the same; a deploy with another one puts that in the place.
    """
    cognito, pool, client = stack.client("cognito-idp"), stack.settings.user_pool, stack.settings.user_pool_client
    known = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]
    takes = cognito.meta.service_model.operation_model("UpdateUserPoolClient").input_shape.members
    kept = {name: value for name, value in known.items() if name in takes and value != ""}  # or they were reset
    back = {"CallbackURLs": [f"{address}/oauth2callback"], "LogoutURLs": [address]}
    audit.note(stack, audit.Did.ADDRESS_SET, now=address)
    cognito.update_user_pool_client(**kept | back)


def _users(cognito: Any, pool: str) -> Iterator[dict[str, Any]]:
    for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool):
        yield from page["Users"]


def _mail(said: str) -> str:
    name = people.named(said)
    if "|" in name:
        raise NotPossible(f"“{said}” is no e-mail address.")
    return name


def _password() -> str:
    """Twenty letters and digits in four groups, of every kind that a pool asks for."""
    letters = string.ascii_letters + string.digits
    while True:
        made = "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))
        if any(map(str.isupper, made)) and any(map(str.islower, made)) and any(map(str.isdigit, made)):
            return made


def commands(commands: Any, command: Command) -> None:
    """Give the command line these commands. ``command`` makes one that takes --json."""
    users = _group(commands, "users", "the users of the stack's own user pool")
    new = command(users, "add", _add, "make a user, and say what they may do")
    new.add_argument("email", metavar="EMAIL")
    new.add_argument("--password", metavar="TEXT", help="(one is made, printed once, and changed at the first sign-in)")
    _role(new, _ROLES)
    command(users, "list", _list, "list the users")
    gone = command(users, "remove", _remove, "delete a user, and end their access within seconds")
    gone.add_argument("email", metavar="EMAIL")
    back = command(users, "address", _address, "say where the dashboard is, to which signing in leads back")
    back.add_argument("address", metavar="URL", help="such as https://stock.example.com")
    access = _group(commands, "access", "who may do what in the dashboard")
    command(access, "list", _access, "list who was given what")
    given = command(access, "set", _set, "give somebody a role, or none at all")
    given.add_argument("name", metavar="NAME", help="an e-mail address, or issuer|subject")
    _role(given, [*_ROLES, NOBODY])
    gone = command(access, "forget", _forget, "let the groups of somebody's token count again")
    gone.add_argument("name", metavar="NAME")


def _group(commands: Any, name: str, words: str) -> Any:
    return commands.add_parser(name, help=words, description=words).add_subparsers(required=True, metavar="WHAT")


def _role(of: argparse.ArgumentParser, roles: list[str]) -> None:
    of.add_argument("--role", choices=roles, required=True)
    which = of.add_mutually_exclusive_group()
    which.add_argument("--store", dest="stores", type=options.name, action="append", metavar="NAME", help="repeatable")
    which.add_argument("--all-stores", action="store_true")


def _add(arguments: argparse.Namespace) -> int:
    stores = _stores(arguments)
    stack = connect(os.environ)
    made = add(stack, arguments.email, arguments.password)
    given = people.put(stack, arguments.email, Role(arguments.role), stores)
    if arguments.json:
        print_json(given.as_json() | {"password": made})
        return 0
    print(_line(given))
    if made:
        print(f"Password: {made}\nIt is shown this once, and is to be changed at the first sign-in.")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    found, table = every(stack), people.known(stack)
    if arguments.json:
        print_json([one | {"access": _plain(table.get(one["email"].lower()))} for one in found])
        return 0
    for one in found:
        given = table.get(one["email"].lower())
        print(f"{one['email']}  {one['status']}  {_may(given) if given else ', '.join(one['groups']) or 'no role'}")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    people.put(stack, arguments.email, None)  # first: whoever is signed in stays so for hours
    remove(stack, arguments.email)
    print(f"{arguments.email} is no user any more, and has no access.")
    return 0


def _address(arguments: argparse.Namespace) -> int:
    at = signing.address({"STOCKTRAIL_ADDRESS": arguments.address})
    send_back_to(connect(os.environ), at or signing.AT_FIRST)
    print(f"Signing in leads back to {at}.")
    return 0


def _access(arguments: argparse.Namespace) -> int:
    found = people.every(connect(os.environ))
    if arguments.json:
        print_json([one.as_json() for one in found])
    for one in [] if arguments.json else found:
        print(_line(one))
    return 0


def _set(arguments: argparse.Namespace) -> int:
    stores = _stores(arguments)
    role = None if arguments.role == NOBODY else Role(arguments.role)
    given = people.put(connect(os.environ), arguments.name, role, stores)
    if arguments.json:
        print_json(given.as_json())
    else:
        print(_line(given))
    return 0


def _forget(arguments: argparse.Namespace) -> int:
    people.forget(connect(os.environ), arguments.name)
    print(f"{arguments.name} has what the groups of their token say.")
    return 0


def _stores(arguments: argparse.Namespace) -> list[str] | None:
    of_stores = arguments.role in OF_STORES
    if of_stores and not (arguments.stores or arguments.all_stores):
        raise NotPossible("Say which stores with --store, or that it is all of them with --all-stores.")
    if arguments.stores and not of_stores:
        raise NotPossible(f"“{arguments.role}” is not of stores: leave --store out.")
    stores: list[str] | None = arguments.stores
    return stores


def _line(given: Given) -> str:
    return f"{given.name}  {_may(given)}  by {given.by}, {given.at[:16].replace('T', ' ')} UTC"


def _may(given: Given) -> str:
    if given.role is None:
        return "no access"
    return f"{given.role} of {'all stores' if given.stores is None else ', '.join(sorted(given.stores))}"


def _plain(given: Given | None) -> dict[str, Any] | None:
    return given.as_json() if given else None
