"""A table for other programs: CSV, XLSX and Parquet, made when it is asked for and not before."""

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd

from services.exporting import Column, as_csv, as_parquet, as_xlsx
from ui import download

_LEFT_OUT = ("age", "open")  # a distance from now, and a link of ours
_FORMATS = (
    ("CSV", "csv", "text/csv", as_csv),
    ("Excel", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
    ("Parquet", "parquet", "application/vnd.apache.parquet", as_parquet),
)


def draw(frame: pd.DataFrame, name: str) -> None:
    """A button for each format of what the frame holds. ``name``: the file's, without its ending."""
    for label, ending, mime, made in _FORMATS:
        of = partial(_made, made, frame)
        download.button(label, of, f"{name}.{ending}", mime, key=f"export-{ending}", width="stretch")


def _made(how: Callable[[Sequence[Column]], bytes], frame: pd.DataFrame) -> bytes:
    return how(columns(frame))


def columns(frame: pd.DataFrame) -> list[Column]:
    """The frame's columns as plain values: whole counts as whole numbers, times with their zone, None for blanks."""
    return [_column(str(name), frame[name]) for name in frame.columns if name not in _LEFT_OUT]


def _column(name: str, values: pd.Series) -> Column:
    plain = values.astype(object).where(values.notna(), None).tolist()
    if pd.api.types.is_datetime64_any_dtype(values):
        return Column(name, "time", [one and one.to_pydatetime() for one in plain])
    if pd.api.types.is_numeric_dtype(values):
        return Column(name, "number", [int(one) if one is not None and one.is_integer() else one for one in plain])
    return Column(name, "text", plain)
