"""Who may do what in this dashboard: the access table, and the person that a sign-in tells of.

Owns the table's entries, and what a token's claims mean. What a role allows is in `services.access`; knows nothing of
pages, cookies or providers.

An entry in the Settings table: Kind `access`; Id the person's name: an e-mail address in lower case, or who said that
they are somebody, and whom (`https://issuer|subject`); Role, or `none`: no access, whatever a token says; Stores: a
list, absent for all; By and At: who said so, and when.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas import tables, times
from services import audit, words
from services.access import OF_STORES, Person, Right, Role, needs
from services.audit import Did
from services.errors import NotPossible, mapped
from services.stack import Stack

KIND = "access"
NOBODY = "none"
ALL = "*"
GROUP = "stocktrail-"
"""What the groups of a token begin with, and then comes the role."""
_GROUPS = ("cognito:groups", "groups", "roles")
_STORES = ("custom:stores", "stores")
_MAIL = re.compile(r"[^@\s|]+@[^@\s|]+")
_ISSUED = re.compile(r"https?://[^\s|]+\|\S+")
_LONGEST = 900  # bytes of a name; a key holds 1,024

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody was given. ``role`` None: no access; ``stores`` None: all of them. ``at``: fixed-width UTC text."""

    name: str
    role: Role | None
    stores: frozenset[str] | None
    by: str
    at: str

    def as_json(self) -> dict[str, Any]:
        stores = None if self.stores is None else sorted(self.stores)
        return {"name": self.name, "role": self.role or NOBODY, "stores": stores, "by": self.by, "at": self.at}


@needs(Right.ADMINISTER)
def every(stack: Stack) -> list[Given]:
    """The whole access table, by name."""
    return sorted(known(stack).values(), key=lambda one: one.name)


@needs(Right.ADMINISTER)
@mapped
def put(stack: Stack, name: str, role: Role | None, stores: Iterable[str] | None = None) -> Given:
    """Give somebody a role, or with None no access at all. ``stores`` None: all; only viewers and managers have fewer.

    Raises NotPossible for a name that no sign-in can have, for no store at all, and for taking one's own last right to
    give others theirs.
    """
    name = named(name)
    if name == stack.person.name and role is not Role.ADMIN:
        raise NotPossible("You would shut yourself out. Another admin can do that for you.")
    only = None if stores is None or role not in OF_STORES else frozenset(stores)
    if only is not None and not only:
        raise NotPossible(f"Say which stores, or that it is all of them: a {role} of no store sees nothing.")
    given = Given(name, role, only, stack.person.name, times.now())
    was = known(stack).get(name)
    did = Did.TAKEN if role is None else Did.CHANGED if was else Did.GIVEN
    audit.note(stack, did, name=name, was=was and _told(was), now=_told(given))
    stack.dynamodb.put_item(TableName=stack.settings.settings_table, Item=_item(given))
    return given


@needs(Right.ADMINISTER)
@mapped
def forget(stack: Stack, name: str) -> None:
    """Take somebody out of the table: then the groups of their token count. Raises NotPossible for oneself."""
    name = named(name)
    if name == stack.person.name:
        raise NotPossible("You might shut yourself out. Another admin can do that for you.")
    was = known(stack).get(name)
    audit.note(stack, Did.CHANGED, name=name, was=was and _told(was), now="what their groups say")
    stack.dynamodb.delete_item(TableName=stack.settings.settings_table, Key=tables.to_item({"Kind": KIND, "Id": name}))


@mapped
def known(stack: Stack) -> Mapping[str, Given]:
    """The access table by name, for what signs people in: one Query."""
    found = tables.query(
        stack.dynamodb, stack.settings.settings_table, ConsistentRead=True, KeyConditionExpression="Kind = :kind",
        ExpressionAttributeValues=tables.to_item({":kind": KIND}),
    )  # fmt: skip
    return {given.name: given for given in map(_given, map(tables.from_item, found))}


def of_claims(stack: Stack, claims: Claims, via: str = "") -> Person:
    """The person that a token's claims tell of, as the access table stands. ``via``: the network address."""
    return person(known(stack), claims, via)


def person(table: Mapping[str, Given], claims: Claims, via: str = "") -> Person:
    """The person that a token's claims tell of. The table counts before the token's groups."""
    name = name_of(claims)
    if given := table.get(name):
        return Person(name, given.role, given.stores, via)
    groups = {group for claim in _GROUPS for group in _texts(claims.get(claim))}
    role = next((role for role in reversed(Role) if GROUP + role in groups), None)
    return Person(name, role, _stores(claims), via)


def name_of(claims: Claims) -> str:
    """A verified e-mail address, else who says that it is somebody, and whom: anybody may write another's address
    into an account that nobody verifies."""
    mail, verified = claims.get("email"), claims.get("email_verified")
    if isinstance(mail, str) and (verified is True or verified == "true") and _MAIL.fullmatch(mail):
        return _lower(mail)
    return f"{claims.get('iss', '')}|{claims.get('sub', '')}"


def named(text: str) -> str:
    """A name as entries have it. Raises NotPossible when no sign-in can have it."""
    text = text.strip()
    sound = text.isprintable() and len(text.encode()) <= _LONGEST  # what has no width comes along when one copies
    if not sound or not (_MAIL.fullmatch(text) or _ISSUED.fullmatch(text)):
        raise NotPossible(
            f"“{text}” is neither an e-mail address nor an issuer and a subject (https://issuer|subject)."
        )
    return _lower(text) if _MAIL.fullmatch(text) else text


def _lower(mail: str) -> str:
    """In ASCII alone: elsewhere two different letters may have one lower case, the sign for kelvin and k."""
    return mail.encode().lower().decode()


def _stores(claims: Claims) -> frozenset[str] | None:
    """Of a viewer or manager by groups. Nothing said is no store: a group says what one may do, and not where."""
    said = next((claims[claim] for claim in _STORES if claim in claims), None)
    found = frozenset(_texts(said))
    return None if ALL in found else found


def _texts(said: Any) -> list[str]:
    """A claim's words: a list of them, or text with commas between; of another shape, nothing was said."""
    words = said.split(",") if isinstance(said, str) else said if isinstance(said, list) else []
    return [word.strip() for word in words if isinstance(word, str) and word.strip()]


def _told(given: Given) -> str:
    return words.access(given.role, given.stores)


def _item(given: Given) -> dict[str, Any]:
    stores = None if given.stores is None else sorted(given.stores)
    return tables.to_item({
        "Kind": KIND, "Id": given.name, "Role": given.role.value if given.role else NOBODY, "Stores": stores,
        "By": given.by, "At": given.at,
    })  # fmt: skip


def _given(item: Mapping[str, Any]) -> Given:
    """An entry. What a hand wrote in another shape gives nothing."""
    role, stores = item.get("Role"), item.get("Stores")
    sound = stores is None or isinstance(stores, list)
    known = next((one for one in Role if one == role), None)
    only = None if stores is None else frozenset(_texts(stores))
    return Given(item["Id"], known if sound else None, only, str(item.get("By", "")), str(item.get("At", "")))
