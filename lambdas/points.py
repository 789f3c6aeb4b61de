"""The Settings table's reorder points: where they are kept, and how few questions tell which ones have moved.

Owns their shape and the order of the writes. Knows nothing of episodes.

Kind and Id are the key. Each store's points are a partition of their own (Kind `reorder:Berlin`): Id `store` for the
whole store and `item:Oat milk` for an item, with Store, Item and Point; an item leaves with its point. Beside them
stands the partition `reorder`: Id `all` is the marker, with Default (the point of all, if one is set), Moved (a text
that is another one after each saving), Own (there, once any store has points of its own) and Unsettled (the names of
the savings that have begun, and whose items' episodes are not all as the points have them); Id `store:Berlin`, with
Store and Moved, says when a store's last moved. So whoever follows them asks for one item, and for the stores that
moved; and who has a few hundred items to judge asks for theirs, and for nothing more than the marker while no store has
any.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lambdas import tables, times
from lambdas.inventory import Key
from lambdas.reorder import NONE, Points, Scope
from lambdas.world import World

KIND = "reorder"
_ALL, _WHOLE = "all", "store"
_MANY = 8
"""So many items of one store are worth a Query of all its points."""
_WORTH = 8
"""So many points it may read for each item that is wanted; a store that has more is asked for them one by one."""
_LONGEST = 900  # bytes; a key holds 1,024 of an Id, and so does a name in a stock file


@dataclass(frozen=True, slots=True)
class Marker:
    """What is said of all points together. ``unsettled``: the names of savings; each begins with the time it began."""

    moved: str
    default: Decimal
    own: bool
    unsettled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Saving:
    """A saving that has moved the points, and is to be settled: its name, and those that it found unsettled."""

    name: str
    found: frozenset[str]


def marker(world: World) -> Marker | None:
    """One item, read consistently; None while no point was ever set."""
    found = world.dynamodb.get_item(TableName=_table(world), Key=_key(KIND, _ALL), ConsistentRead=True).get("Item")
    if found is None:
        return None
    said = tables.from_item(found)
    return Marker(said["Moved"], said.get("Default", NONE), "Own" in said, frozenset(said.get("Unsettled", ())))


def of_keys(world: World, keys: Iterable[Key]) -> Points:
    """The points that concern these items, read consistently."""
    wanted: dict[str, set[str]] = {}
    for store, item in keys:
        wanted.setdefault(store, set()).add(item)
    found = marker(world) if wanted else None
    if found is None:
        return Points()
    if not found.own:
        return Points(found.default, moved=found.moved)
    many = [store for store, items in wanted.items() if len(items) >= _MANY]
    most = {store: _WORTH * len(wanted[store]) for store in many}
    asked = dict(zip(many, tables.each(lambda store: list(_stretch(world, store, most[store])), many), strict=True))
    all_of = [store for store in many if len(asked[store]) < most[store]]
    single = [
        _key(_kind(store), name) for store in wanted.keys() - all_of for name in {_WHOLE, *map(_of_item, wanted[store])}
    ]
    own = [item for store in all_of for item in asked[store]]
    return _points([*own, *tables.batch_get(world.dynamodb, _table(world), single)], found)


def of_store(world: World, store: str) -> Points:
    """A store's own points, without what counts for all; read consistently."""
    return _points(_stretch(world, store), Marker("", NONE, own=True))


def _stretch(world: World, store: str, limit: int | None = None) -> Iterator[tables.Item]:
    # KeyConditions: see lambdas/inventory.py.
    of_kind = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": _kind(store)}]}
    kind = {"Kind": of_kind}
    return tables.query(world.dynamodb, _table(world), limit=limit, KeyConditions=kind, ConsistentRead=True)


def _points(items: Iterable[tables.Item], of: Marker) -> Points:
    stores: dict[str, Decimal] = {}
    own: dict[Key, Decimal] = {}
    for said in map(tables.from_item, items):
        if "Item" in said:
            own[said["Store"], said["Item"]] = said["Point"]
        else:
            stores[said["Store"]] = said["Point"]
    return Points(of.default, stores, own, of.moved)


def stores(world: World) -> dict[str, str]:
    """The stores that have, or had, points of their own; and a text of each that is another one once they moved."""
    of_kind = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": KIND}]}
    found = tables.query(world.dynamodb, _table(world), KeyConditions={"Kind": of_kind}, ConsistentRead=True)
    said = (tables.from_item(item) for item in found)
    return {one["Store"]: one["Moved"] for one in said if "Store" in one}


def save(world: World, given: Mapping[Scope, Decimal | None]) -> Saving:
    """Set these points; None removes one. Safe to repeat. Until ``settled``, the marker says that the saving is not.

    It says so before anything moves, each saving for itself: of two at once neither ends for the other. The marker
    goes last as well: who sees it moved sees what moved. What one who broke off has moved is shown to be moved again.
    """
    name, known = _another(), marker(world)
    found = known.unsettled if known else frozenset()
    of_stores = {scope.store for scope in given if scope.store is not None}
    _mark(world, name, name, {"Own": True} if of_stores else {})  # with Own, or nobody would look for them
    of_stores |= stores(world).keys() if found else set()
    _mark_stores(world, of_stores, name)
    _write(world, {scope: point for scope, point in given.items() if scope.store is not None})
    moved = _another()
    _mark_stores(world, of_stores, moved)
    whole = Scope()
    _mark(world, name, moved, {"Default": given[whole] or None} if whole in given else {})
    return Saving(name, found)


def settled(world: World, names: Iterable[str]) -> None:
    """Every episode is as the points have it that these savings moved."""
    _update(world, "DELETE Unsettled :names", {}, {":names": set(names)})


def _another() -> str:
    return f"{times.now()}#{secrets.token_hex(4)}"


def _mark_stores(world: World, of_stores: Iterable[str], moved: str) -> None:
    marks = ({"Kind": KIND, "Id": _of_store(store), "Store": store, "Moved": moved} for store in of_stores)
    tables.batch_put(world.dynamodb, _table(world), map(tables.to_item, marks))


def _write(world: World, given: Mapping[Scope, Decimal | None]) -> None:
    put = ({**_named(scope), "Point": point} for scope, point in given.items() if point is not None)
    tables.batch_put(world.dynamodb, _table(world), map(tables.to_item, put))
    gone = [_named(scope) for scope, point in given.items() if point is None]
    tables.each(lambda one: world.dynamodb.delete_item(TableName=_table(world), Key=_key(one["Kind"], one["Id"])), gone)


def _mark(world: World, saving: str, moved: str, said: Mapping[str, Any]) -> None:
    """With the saving's name both times: who took it for broken off may have taken that away."""
    values: dict[str, Any] = {"Moved": moved} | {name: value for name, value in said.items() if value is not None}
    gone = [f"#{name}" for name, value in said.items() if value is None]
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in values) + " ADD Unsettled :names"
    update += f" REMOVE {', '.join(gone)}" if gone else ""
    names = {f"#{name}": name for name in {"Moved", *said}}
    _update(world, update, names, {f":{name}": value for name, value in values.items()} | {":names": {saving}})


def _update(world: World, update: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Update the marker."""
    more = {"ExpressionAttributeNames": names} if names else {}
    attempt = 0
    while True:
        try:
            world.dynamodb.update_item(
                TableName=_table(world), Key=_key(KIND, _ALL), UpdateExpression=update,
                ExpressionAttributeValues=tables.to_item(values), **more,
            )  # fmt: skip
        except world.dynamodb.exceptions.TransactionConflictException:  # a checker's, which asks whether it has moved
            attempt += 1
            tables.wait(attempt)
        else:
            return


def still(world: World, moved: str) -> dict[str, Any]:
    """The part of a transaction that fails once a point has moved since."""
    return {
        "TableName": _table(world), "Key": _key(KIND, _ALL), "ConditionExpression": "Moved = :moved",
        "ExpressionAttributeValues": {":moved": {"S": moved}},
    }  # fmt: skip


def _named(scope: Scope) -> dict[str, Any]:
    where = _WHOLE if scope.item is None else _of_item(scope.item)
    return {"Kind": _kind(scope.store or ""), "Id": where, "Store": scope.store, "Item": scope.item}


def _kind(store: str) -> str:
    return f"{KIND}:{_short(store)}"


def _of_item(item: str) -> str:
    return f"item:{_short(item)}"


def _of_store(store: str) -> str:
    return f"store:{_short(store)}"


def _short(name: str) -> str:
    """The name itself, and of one that would not fit into a key its hash."""
    return name if len(name.encode()) <= _LONGEST else hashlib.sha256(name.encode()).hexdigest()


def _key(kind: str, name: str) -> dict[str, Any]:
    return {"Kind": {"S": kind}, "Id": {"S": name}}


def _table(world: World) -> str:
    return world.settings.settings_table
