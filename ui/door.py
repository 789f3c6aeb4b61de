"""Who sits before a session: stub until sign-in is there."""

from services.access import MACHINE, Person


def person() -> Person:
    return MACHINE


def signed(_person: Person) -> None:
    return
