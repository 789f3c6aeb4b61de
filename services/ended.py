"""The sign-ins that somebody has ended before their time, for every dashboard of the stack and over its restarts.

Owns their entries. Knows nothing of cookies, claims or pages, and of a sign-in only the mark that tells it from others.

An entry in the Settings table: Kind `ended`; Id the mark, a hash; Until: in seconds since the epoch, when that sign-in
would have ended by itself. From then on it is needed no more, and whoever signs out next takes it away.
"""

import time
from collections.abc import Mapping

from lambdas import tables
from services.errors import mapped
from services.stack import Stack

KIND = "ended"


@mapped
def put(stack: Stack, mark: str, until: float) -> None:
    """This sign-in counts nowhere any more. ``until``: seconds since the epoch."""
    table = stack.settings.settings_table
    entry = {"Kind": KIND, "Id": mark, "Until": round(until)}
    stack.dynamodb.put_item(TableName=table, Item=tables.to_item(entry))
    for over in [one for one, end in known(stack).items() if end < time.time()]:
        stack.dynamodb.delete_item(TableName=table, Key=tables.to_item({"Kind": KIND, "Id": over}))


@mapped
def known(stack: Stack) -> Mapping[str, float]:
    """Until when each is to be known, by mark: one Query."""
    found = tables.query(
        stack.dynamodb, stack.settings.settings_table, ConsistentRead=True, KeyConditionExpression="Kind = :kind",
        ExpressionAttributeValues=tables.to_item({":kind": KIND}),
    )  # fmt: skip
    return {one["Id"]: float(one["Until"]) for one in map(tables.from_item, found)}
