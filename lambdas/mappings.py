"""Mappings: what people said about how their files are to be read, and what is saved for a shape of file.

Owns where the two are kept. Knows nothing of uploads or of what a mapping means.

A mapping lies in the bucket, under its own id and never changed, so that a loader reads exactly what a preview read,
and an upload that names one never misses it. What next week's file of a shape is to be read with is an item of the
Mappings table: Kind “shape”, Id (the shape), MappingId, Body (its JSON), SavedAt, Columns (the headings, for showing)
and By (the upload that was answered, if one was). What somebody remembers for the own files alone has the Kind
“shape of” and that name; it counts before what is remembered for all. The mapping that says nothing is never kept:
its id is “auto”.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambdas import objects, tables, times
from lambdas.stockfile import AUTOMATIC, Mapping, Unreadable
from lambdas.stockfile.mapping import of_json
from lambdas.world import World

AUTO = "auto"
_KIND = "shape"


@dataclass(frozen=True, slots=True)
class Saved:
    """What is saved for a shape of file. ``saved_at`` is fixed-width UTC text, ``by`` an upload's id."""

    shape: str
    mapping: Mapping
    columns: tuple[str, ...]
    saved_at: str
    by: str | None

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"shape": self.shape, "columns": list(self.columns), "saved_at": self.saved_at}
        return shown | {"by": self.by, "mapping": json.loads(self.mapping.as_json())}


def id_of(mapping: Mapping) -> str:
    """How an upload names it: 16 hex digits, or “auto”."""
    return AUTO if mapping == AUTOMATIC else mapping.id


def keep(world: World, mapping: Mapping) -> str:
    """Put it there, if it is not, for whoever reads the file later; its id."""
    if mapping != AUTOMATIC:
        objects.put(world, _object(mapping.id), json.loads(mapping.as_json()), once=True)
    return id_of(mapping)


def get(world: World, mapping_id: str) -> Mapping:
    """The mapping of an id. Unreadable when there is none."""
    if mapping_id == AUTO:
        return AUTOMATIC
    found = objects.get(world, _object(mapping_id))
    if found is None:
        raise Unreadable(f"The file was sent with the mapping “{mapping_id}”, which does not exist. Send it again.")
    return of_json(json.dumps(found))


def _object(mapping_id: str) -> str:
    return f"{objects.MAPPINGS}{mapping_id}.json"


def of_shape(world: World, shape: str, whose: str | None = None) -> Mapping | None:
    """What is saved for a shape of file: for the files of ``whose``, else for all."""
    for key in [_key(shape, whose), _key(shape)] if whose else [_key(shape)]:
        answer = world.dynamodb.get_item(TableName=world.settings.mappings_table, Key=key, ConsistentRead=True)
        if "Item" in answer:
            return of_json(answer["Item"]["Body"]["S"])
    return None


def save(
    world: World, shape: str, mapping: Mapping, columns: Sequence[str], by: str | None = None, whose: str | None = None
) -> None:
    """From now on files of this shape are read so; those of ``whose``, or all. ``columns`` are shown with it."""
    if mapping == AUTOMATIC:
        return forget(world, shape, whose)
    said = {"MappingId": keep(world, mapping), "Body": mapping.as_json(), "SavedAt": times.now(), "By": by}
    item = {"Kind": _kind(whose), "Id": shape, "Columns": list(columns)} | said
    world.dynamodb.put_item(TableName=world.settings.mappings_table, Item=tables.to_item(item))
    return None


def saved(world: World, whose: str | None = None) -> list[Saved]:
    """All that is saved for all, or for ``whose`` alone, the latest first."""
    found = tables.query(
        world.dynamodb, world.settings.mappings_table, ConsistentRead=True,
        KeyConditionExpression="Kind = :kind", ExpressionAttributeValues=tables.to_item({":kind": _kind(whose)}),
    )  # fmt: skip
    return sorted(map(_saved, map(tables.from_item, found)), key=lambda one: one.saved_at, reverse=True)


def _saved(item: dict[str, Any]) -> Saved:
    return Saved(item["Id"], of_json(item["Body"]), tuple(item["Columns"]), item["SavedAt"], item.get("By"))


def forget(world: World, shape: str, whose: str | None = None) -> None:
    """Files of this shape are read automatically again. What has been sent keeps its mapping."""
    world.dynamodb.delete_item(TableName=world.settings.mappings_table, Key=_key(shape, whose))


def _key(shape: str, whose: str | None = None) -> dict[str, Any]:
    return tables.to_item({"Kind": _kind(whose), "Id": shape})


def _kind(whose: str | None) -> str:
    return f"{_KIND} of {whose}" if whose else _KIND
