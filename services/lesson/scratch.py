"""The lesson's scratch tables: made like the stack's own, and deleted again, whatever happens in between.

Owns their names. Knows nothing of what is put into them. The name of a table of another kind than these can't be taken
for one: it is the name of the stack's Inventory table, `-lesson-`, the run's id, which tells its age, and a part.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from lambdas import times
from lambdas.fates import OF_FILES, Mode
from lambdas.settings import Settings, from_env
from lambdas.upload import new_id, time_of
from services.access import Right, needs
from services.errors import mapped
from services.stack import Stack

KEPT_HOURS = 3
"""Older ones are left over from a run whose process was ended hard. No run lasts that long: see `classroom`."""
_SPOKEN = "store-uploads"
_PARTS = (*(mode.value for mode in OF_FILES), _SPOKEN)
_MADE_WITHIN = {"Delay": 1, "MaxAttempts": 90}


@dataclass(frozen=True, slots=True)
class Scratch:
    """The tables of one run: an Inventory table for each mode, and one StoreUploads table. ``streams``: their ARNs."""

    tables: Mapping[str, str]
    streams: Mapping[Mode, str]

    def settings(self, mode: Mode) -> Settings:
        """These tables, and no other name of the stack's: what works by them can't reach anything else."""
        return from_env({"INVENTORY_TABLE": self.tables[mode], "STORE_UPLOADS_TABLE": self.tables[_SPOKEN]})


@contextmanager
def made(stack: Stack) -> Iterator[Scratch]:
    """The tables of a new run, ready for use; at the end, or when their making breaks off, they are deleted."""
    stack.person.must(Right.OPERATE)
    client, names = stack.dynamodb, stack.settings
    run = new_id()
    tables = {part: f"{_prefix(stack)}{run}-{part}" for part in _PARTS}
    inventory, spoken = _shape(client, names.inventory_table), _shape(client, names.store_uploads_table)
    streams = {}
    with ExitStack() as leaving:
        for mode in OF_FILES:
            leaving.callback(_delete, client, tables[mode])
            streams[mode] = _create(client, tables[mode], inventory)
        leaving.callback(_delete, client, tables[_SPOKEN])
        _create(client, tables[_SPOKEN], spoken)
        for table in tables.values():
            _wait(client, table)
        yield Scratch(tables, streams)


@mapped
@needs(Right.OPERATE)
def sweep(stack: Stack) -> list[str]:
    """Delete what runs left behind that were ended hard, of this stack alone. The names of these tables."""
    client, own = stack.dynamodb, re.compile(rf"{re.escape(_prefix(stack))}(\d{{8}}T\d{{12}}-[0-9a-f]{{8}})-[a-z-]+")
    pages = client.get_paginator("list_tables").paginate()
    found = [(name, one[1]) for page in pages for name in page["TableNames"] if (one := own.fullmatch(name))]
    old = [name for name, run in found if times.later(time_of(run), hours=KEPT_HOURS) < times.now()]
    for name in old:
        with suppress(client.exceptions.ResourceNotFoundException, client.exceptions.ResourceInUseException):
            client.delete_table(TableName=name)  # another dashboard may be at it
    return old


def _prefix(stack: Stack) -> str:
    return f"{stack.settings.inventory_table}-lesson-"


def _shape(client: Any, table: str) -> dict[str, Any]:
    """Keys and stream of one of the stack's tables, so that a scratch table is one of the same kind."""
    said = client.describe_table(TableName=table)["Table"]
    keys = {key["AttributeName"] for key in said["KeySchema"]}
    shape = {"KeySchema": said["KeySchema"]}
    shape["AttributeDefinitions"] = [one for one in said["AttributeDefinitions"] if one["AttributeName"] in keys]
    return shape | ({"StreamSpecification": said["StreamSpecification"]} if "StreamSpecification" in said else {})


def _create(client: Any, table: str, shape: Mapping[str, Any]) -> str:
    """Have a table made; the ARN of its stream, blank when it has none."""
    made = client.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **shape)
    return str(made["TableDescription"].get("LatestStreamArn", ""))


def _wait(client: Any, table: str) -> None:
    """Until it is there: at once on the embedded engine, some ten seconds on AWS."""
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig=_MADE_WITHIN)


def _delete(client: Any, table: str) -> None:
    try:
        client.delete_table(TableName=table)
    except client.exceptions.ResourceNotFoundException:
        return  # its making was refused
    except client.exceptions.ResourceInUseException:  # it is still being made
        _wait(client, table)
        client.delete_table(TableName=table)
