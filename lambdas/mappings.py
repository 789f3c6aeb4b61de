"""The Mappings table: what people said about how their files are to be read, and what is saved for a shape of file.

Owns the two kinds of item in it. Knows nothing of uploads or of what a mapping means.

A mapping, under its own id and never changed, so that a loader reads exactly what a preview read: Kind “mapping”, Id,
Body (its JSON). What next week's file of a shape is to be read with: Kind “shape”, Id (the shape), MappingId, Body,
SavedAt, Columns (the headings, for showing) and By (the upload that was answered, if one was). The mapping that says
nothing is never stored: its id is the word “auto”.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambdas import tables, times
from lambdas.stockfile import AUTOMATIC, Mapping, Unreadable
from lambdas.stockfile.mapping import of_json

AUTO = "auto"


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


def keep(client: Any, table: str, mapping: Mapping) -> str:
    """Put it there, if it is not, for whoever reads the file later; its id."""
    if mapping == AUTOMATIC:
        return AUTO
    item = {"Kind": "mapping", "Id": mapping.id, "Body": mapping.as_json()}
    try:
        client.put_item(TableName=table, Item=tables.to_item(item), ConditionExpression="attribute_not_exists(Id)")
    except client.exceptions.ConditionalCheckFailedException:
        return mapping.id
    return mapping.id


def get(client: Any, table: str, mapping_id: str) -> Mapping:
    """The mapping of an id. Unreadable when there is none."""
    if mapping_id == AUTO:
        return AUTOMATIC
    found = _item(client, table, "mapping", mapping_id)
    if found is None:
        raise Unreadable(f"The file was sent with the mapping “{mapping_id}”, which does not exist. Send it again.")
    return of_json(found["Body"])


def of_shape(client: Any, table: str, shape: str) -> Mapping | None:
    """What is saved for a shape of file."""
    found = _item(client, table, "shape", shape)
    return of_json(found["Body"]) if found else None


def save(client: Any, table: str, shape: str, mapping: Mapping, columns: Sequence[str], by: str | None = None) -> None:
    """From now on files of this shape are read so. ``columns`` are shown with it."""
    if mapping == AUTOMATIC:
        return forget(client, table, shape)
    said = {"MappingId": keep(client, table, mapping), "Body": mapping.as_json(), "SavedAt": times.now(), "By": by}
    item = {"Kind": "shape", "Id": shape, "Columns": list(columns)} | said
    client.put_item(TableName=table, Item=tables.to_item(item))
    return None


def saved(client: Any, table: str) -> list[Saved]:
    """All that is saved, the latest first."""
    found = tables.query(
        client, table, ConsistentRead=True,
        KeyConditionExpression="Kind = :kind", ExpressionAttributeValues=tables.to_item({":kind": "shape"}),
    )  # fmt: skip
    return sorted(map(_saved, map(tables.from_item, found)), key=lambda one: one.saved_at, reverse=True)


def _saved(item: dict[str, Any]) -> Saved:
    return Saved(item["Id"], of_json(item["Body"]), tuple(item["Columns"]), item["SavedAt"], item.get("By"))


def forget(client: Any, table: str, shape: str) -> None:
    """Files of this shape are read automatically again. What has been sent keeps its mapping."""
    client.delete_item(TableName=table, Key=_key("shape", shape))


def _item(client: Any, table: str, kind: str, item_id: str) -> dict[str, Any] | None:
    answer = client.get_item(TableName=table, Key=_key(kind, item_id), ConsistentRead=True)
    return tables.from_item(answer["Item"]) if "Item" in answer else None


def _key(kind: str, item_id: str) -> dict[str, Any]:
    return tables.to_item({"Kind": kind, "Id": item_id})
