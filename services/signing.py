"""A stand-in: sign-in is written elsewhere."""

from collections.abc import Mapping
from typing import Any


def configured(environ: Mapping[str, str]) -> bool:
    """Whether people sign in."""
    return bool(environ.get("STOCKTRAIL_SIGN_IN"))


def address(environ: Mapping[str, str]) -> str | None:
    """The public address of the dashboard, such as https://stock.example.com."""
    return environ.get("STOCKTRAIL_ADDRESS") or None


def secrets(_environ: Mapping[str, str]) -> dict[str, Any]:
    """What st.App is given as secrets; nothing without sign-in."""
    return {}
