"""Previewing: what a file would do if it were sent now, in each of the ways to apply it. Writes nothing.

Owns the receipt that is no upload's. The verdicts are the loader's own (`lambdas.loading.foresee`).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lambdas import lines, loading, mappings
from lambdas.alerts import Crossing, crossing
from lambdas.fates import Fate, Mode, Verdict
from lambdas.stockfile import Mapping as Said
from lambdas.stockfile import Reading, StockFile
from lambdas.upload import Address, Upload, new_id
from services import sight
from services.access import Right, needs
from services.errors import mapped
from services.opening import opened
from services.outcome import Line, Receipt
from services.stack import Stack


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do, and every row's fate. ``by_mode``: the receipts of the ways that were asked about, its own
    among them."""

    receipt: Receipt
    lines: list[Line]
    by_mode: Mapping[Mode, Receipt]


@needs(Right.SEND)
def preview(
    stack: Stack, name: str, data: bytes, mode: Mode = Mode.NEWEST, store: str | None = None,
    mapping: Said | None = None,
) -> tuple[Receipt, list[Line]]:  # fmt: skip
    """What the file would do if it were sent now, by the loader's own code, and every row's fate. Writes nothing.

    Raises BadFile, and of these Unclear when something has to be said first.
    """
    made = foreseen(stack, name, data, mode, store, mapping)
    return made.receipt, made.lines


@mapped
@needs(Right.SEND)
def foreseen(
    stack: Stack, name: str, data: bytes, mode: Mode = Mode.NEWEST, store: str | None = None,
    mapping: Said | None = None, modes: Sequence[Mode] = (), at_most: float = math.inf,
) -> Preview:  # fmt: skip
    """The same, beside what it would do in these ``modes``. The table is read once for all of them; 100,000 rows take
    a second or so more for each. ``at_most``: of a file of more rows only its own way is judged."""
    file, mapping = _opened(stack, data, mapping)
    store = (store or "").strip() or None
    upload = Upload(new_id(), Address("", ""), name, mode, store or mapping.always, mappings.id_of(mapping))
    reading = file.read(uploaded_at=upload.time, store=store)
    if grant := sight.granted(stack.person, mode):
        reading = grant.of(reading)
    return of_rows(stack, upload, reading, modes if len(reading.rows) <= at_most else ())


@mapped
@needs(Right.SEND)
def of_rows(stack: Stack, upload: Upload, reading: Reading, modes: Sequence[Mode] = ()) -> Preview:
    """What these rows would do as this upload, and in these modes."""
    mode = upload.mode
    told = lines.of([], reading.rejects)
    fates = {each: Counter({Fate.REJECTED: len(told)}) for each in (mode, *modes)}
    alerts: Counter[Mode] = Counter()
    for verdicts in loading.foresee(stack.world, upload, reading, modes):
        told += lines.of(verdicts[mode])
        for each, own in verdicts.items():
            fates[each].update(verdict.fate for verdict in own)
            alerts[each] += _opening(own)
    told.sort(key=lines.place)
    by_mode = {each: _receipt(upload, each, fates[each], alerts[each]) for each in fates}
    return Preview(by_mode[mode], told, by_mode)


def _opened(stack: Stack, data: bytes, mapping: Said | None) -> tuple[StockFile, Said]:
    if mapping is not None:
        return StockFile(data, mapping), mapping
    found = opened(stack, data)
    return found.file, found.mapping


def _opening(verdicts: Iterable[Verdict]) -> int:
    """How many alerts these rows would raise."""
    return sum(v.new is not None and crossing(v.new.was, v.row.count) is Crossing.OPENS for v in verdicts)


def _receipt(upload: Upload, mode: Mode, counted: Mapping[Fate, int], alerts: int) -> Receipt:
    fates = {fate.value: counted[fate] for fate in Fate}
    return Receipt(
        None, upload.name, mode.value, "preview", upload.store, sum(fates.values()), fates,
        lines.expected(fates), None, 0, alerts, None, None, None, None, None, None, {}, 0,
        None, upload.mapping, undoes=upload.undoes,
    )  # fmt: skip
