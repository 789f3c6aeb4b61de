"""MiniStack's modules, imported late. Must not know what is done with them."""

import importlib
from typing import Any


def module(name: str) -> Any:
    """A module of MiniStack, e.g. `services.sqs`. Imported late: it reads its settings at import."""
    return importlib.import_module(f"ministack.{name}")
