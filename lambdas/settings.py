"""The names of what the stack made, as a frozen value; the same names in template.yaml, in the outputs and here.

Owns the list of settings. Knows nothing of what is done with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is an environment variable of that name in capitals, and an output of the stack in CamelCase."""

    inventory_table: str
    uploads_table: str
    tallies_table: str
    store_uploads_table: str
    changes_table: str
    alerts_table: str
    mappings_table: str
    settings_table: str
    failures_table: str
    user_pool: str
    user_pool_client: str
    bucket: str
    topic: str
    queue: str
    parts_queue: str
    dead_letter_queue: str
    loader: str
    recorder: str
    checker: str
    sweeper: str
    logs: str
    tries: str
    visible_seconds: str
    hang_seconds: str
    part_rows: str


def from_env(environ: Mapping[str, str]) -> Settings:
    """The settings in an environment. A Lambda is given only the names it uses; the others are empty."""
    return Settings(**{field.name: environ.get(field.name.upper(), "") for field in fields(Settings)})


def from_outputs(outputs: Mapping[str, str]) -> Settings:
    """The settings in a stack's outputs. KeyError names an output that the stack lacks."""
    return Settings(**{field.name: outputs[field.name.title().replace("_", "")] for field in fields(Settings)})
