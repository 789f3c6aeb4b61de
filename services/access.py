"""Who may do what, and see which stores: the one place that decides.

Owns roles, rights and the questions that every service asks of a person. Knows nothing of how people sign in, of where
roles are kept, or of pages. What a page shows or hides is a courtesy; what is refused is refused here.

A role holds the rights of those before it: viewer, manager, operator, admin. Viewers and managers may be of named
stores; operators and admins see every store, as the pipeline and its logs tell of all.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from services.errors import Refused

P = ParamSpec("P")
R = TypeVar("R")


class Role(StrEnum):
    VIEWER = "viewer"
    MANAGER = "manager"
    OPERATOR = "operator"
    ADMIN = "admin"


class Right(StrEnum):
    """What one may be allowed to do. The value ends the sentence “Your role does not allow you to …”."""

    SEE = "see the stock"
    SEND = "send files or correct counts"
    MANAGE = "acknowledge alerts or set reorder points, quiet hours and messages"
    OPERATE = "see or repair the pipeline"
    ADMINISTER = "change what others may do, or what counts for all stores"


_LEAST = {
    Right.SEE: Role.VIEWER, Right.SEND: Role.MANAGER, Right.MANAGE: Role.MANAGER, Right.OPERATE: Role.OPERATOR,
    Right.ADMINISTER: Role.ADMIN,
}  # fmt: skip
_RANK = {role: rank for rank, role in enumerate(Role)}
OF_STORES = (Role.VIEWER, Role.MANAGER)
"""The roles that may be of named stores."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. ``name``: the e-mail address, or what else tells a person from others, as it is written down.

    ``role`` None: nobody has given one. ``stores`` None: all of them. ``via``: the network address asked from.
    ``of_machine``: whoever works with the stack's own credentials, and could do all of it without us.
    """

    name: str
    role: Role | None
    stores: frozenset[str] | None = None
    via: str = ""
    of_machine: bool = False

    def __post_init__(self) -> None:
        if self.role not in OF_STORES:
            object.__setattr__(self, "stores", frozenset() if self.role is None else None)

    @property
    def seat(self) -> "Person":
        """Who is not told from this one by anything that is read: what one of them has read serves all. Who sees some
        stores sees the own uploads as well, whatever they speak of."""
        return replace(self, name="" if self.stores is None else self.name, via="")

    def may(self, right: Right) -> bool:
        return self.role is not None and _RANK[self.role] >= _RANK[_LEAST[right]]

    def sees(self, store: str | None) -> bool:
        """Whether a store is one of this person's. What is of no store is only for those who see all."""
        return self.role is not None and (self.stores is None or store in self.stores)

    def must(self, right: Right, stores: Iterable[str] = ()) -> None:
        """Refused unless this person may do so, with each of these stores."""
        if self.role is None:
            raise Refused("Nobody has given you a role yet. Ask an admin of this dashboard.")
        if not self.may(right):
            raise Refused(f"Your role, {self.role}, does not allow you to {right}. Ask an admin of this dashboard.")
        if foreign := sorted({store for store in stores if not self.sees(store)}):
            raise Refused(f"The store “{foreign[0]}” is not one of yours. Ask an admin of this dashboard.")

    def must_for_all(self, right: Right, why: str = "This concerns all stores, and not all of them are yours.") -> None:
        """Refused unless this person may do so, and with every store. ``why``: what that is about."""
        self.must(right)
        if self.stores is not None:
            raise Refused(f"{why} Ask an admin of this dashboard.")

    def only(self, found: Iterable["OfStore"]) -> list[Any]:
        """Of things that are each of one store, those that this person sees, in their order."""
        return list(found) if self.role and self.stores is None else [one for one in found if self.sees(one.store)]


class OfStore(Protocol):
    @property
    def store(self) -> str | None: ...


class Acting(Protocol):
    """Whatever a service is given to work on."""

    @property
    def person(self) -> Person: ...


MACHINE = Person("this machine", Role.ADMIN, of_machine=True)
"""Whoever works with the stack's own credentials: the command line, and the dashboard for all its readers together."""


def needs(right: Right) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A service that is refused to who has not this right. Its first argument is the stack, which names the person."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def service(*args: P.args, **kwargs: P.kwargs) -> R:
            cast(Acting, args[0]).person.must(right)
            return function(*args, **kwargs)

        return service

    return decorate
