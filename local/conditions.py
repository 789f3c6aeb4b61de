"""The key condition of a Query, in either of the two forms that DynamoDB takes.

Pure. Knows the usual ways of saying it; what it does not know it leaves to MiniStack.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_CLAUSE = re.compile(
    r"\s*(?:(?P<name>[#\w.-]+)\s*(?P<op><=|>=|=|<|>)\s*(?P<value>:\w+)"
    r"|(?P<between>[#\w.-]+)\s+BETWEEN\s+(?P<low>:\w+)\s+AND\s+(?P<high>:\w+)"
    r"|begins_with\s*\(\s*(?P<begins>[#\w.-]+)\s*,\s*(?P<prefix>:\w+)\s*\))\s*(?:AND\b|$)",
    re.IGNORECASE,
)
_LEGACY = {"EQ": "=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">=", "BETWEEN": "between", "BEGINS_WITH": "begins"}


class Where(NamedTuple):
    """One attribute's condition: `=`, `<`, `<=`, `>`, `>=`, `between` or `begins`, and what it is compared with."""

    op: str
    values: list[Any]


def of_keys(data: Any) -> dict[str, Where] | None:
    """The condition of each key; None when it is of a form that is not known here."""
    names, values = data.get("ExpressionAttributeNames") or {}, data.get("ExpressionAttributeValues") or {}
    text, legacy = data.get("KeyConditionExpression"), data.get("KeyConditions")
    found: list[tuple[str, Where]] = []
    if isinstance(legacy, Mapping) and not text:
        for name, said in legacy.items():
            op = _LEGACY.get(str(said.get("ComparisonOperator"))) if isinstance(said, Mapping) else None
            if op is None:
                return None
            found.append((name, Where(op, said.get("AttributeValueList") or [])))
    elif isinstance(text, str) and not legacy:
        at = 0
        while at < len(text):
            if not (clause := _CLAUSE.match(text, at)):
                return None
            at = clause.end()
            found.append(_of_clause(clause.groupdict(), names, values))
    sound = all(len(one.values) == (2 if one.op == "between" else 1) and None not in one.values for _, one in found)
    return dict(found) if sound and len(dict(found)) == len(found) else None


def _of_clause(said: dict[str, Any], names: Mapping[str, str], values: Mapping[str, Any]) -> tuple[str, Where]:
    name = said["between"] or said["begins"] or said["name"]
    op = "between" if said["between"] else "begins" if said["begins"] else said["op"]
    of = (said["low"], said["high"]) if said["between"] else (said["prefix"] or said["value"],)
    return names.get(name, name), Where(op, [values.get(one) for one in of])
