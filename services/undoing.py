"""Undoing an upload: another upload that puts back what it changed.

Owns what there is to put back: of each item that the upload changed, the image before its first change. What has been
changed since is left alone, and says by whom: see `lambdas.fates`.
"""

from lambdas import receipts, undoing
from lambdas.fates import Key, Mode
from lambdas.mappings import AUTO
from lambdas.stockfile import AUTOMATIC, Row
from lambdas.stream import KEPT_DAYS
from lambdas.upload import Address, Upload, new_id
from services import changes, previewing, uploads
from services.access import MACHINE, Right, needs
from services.audit import Did
from services.changes import Seen
from services.errors import BadFile, mapped
from services.stack import Stack
from services.uploads import Line, Receipt


@needs(Right.SEND)
def preview(stack: Stack, upload_id: str) -> tuple[Receipt, list[Line]]:
    """What undoing an upload would do now, as a receipt, and the fate of each item. Writes nothing.

    Raises NotFound when there is no such upload, BadFile when it can't be undone.
    """
    of, rows = _before(stack, upload_id)
    upload = Upload(new_id(), Address("", ""), _name(of), Mode.UNDO, mapping=AUTO, undoes=upload_id)
    made = previewing.of_rows(stack, upload, undoing.read(undoing.write(rows)))
    return made.receipt, made.lines


@mapped
@needs(Right.SEND)
def send(stack: Stack, upload_id: str) -> str:
    """Undo an upload; the id of the one that does so. Raises as ``preview`` does.

    Undone twice, the second one finds nothing that still is what the upload made of it. The one that undoes can be
    undone as any other.
    """
    of, rows = _before(stack, upload_id)
    sent = uploads.send(
        stack, _name(of), undoing.write(rows), Mode.UNDO, mapping=AUTOMATIC, undoes=upload_id, did=Did.UNDONE,
        about={"of": of.file},
    )  # fmt: skip
    receipts.undone(stack.dynamodb, stack.settings.uploads_table, upload_id, sent)
    return sent


def _before(stack: Stack, upload_id: str) -> tuple[Receipt, list[Row]]:
    of = uploads.receipt(stack, upload_id)
    if of.state != "loaded" or not of.settled:
        raise BadFile(f"{of.file} is not through yet: it can be undone when all of its stream records are seen.")
    if not of.records_expected:
        raise BadFile(f"{of.file} changed nothing: there is nothing to undo.")
    made = changes.of_upload(stack.acting(MACHINE), upload_id)
    stack.person.must(Right.SEND, (one.store for one in made))
    if len(made) < of.records_expected:
        raise BadFile(
            f"{of.file} can't be undone any more: {len(made):,} of its {of.records_expected:,} changes are kept. "
            f"They are kept for {KEPT_DAYS} days."
        )
    return of, rows(made)


def rows(made: list[Seen]) -> list[Row]:
    """What the items held before an upload's changes of them, given from the oldest on; a count of None: nothing.

    An upload that was crossed may have changed an item twice. What lies before the first time is its own word only if
    nobody else's came between: else the second change's old image is another upload's, and is what is put back.
    """
    first: dict[Key, Seen] = {}
    for one in made:
        key = one.store, one.item
        if key not in first or (one.old or {}).get("UploadId") != one.upload_id:
            first[key] = one
    return [_row(number, one) for number, one in enumerate(first.values(), 2)]


def _row(number: int, before: Seen) -> Row:
    old = before.old or {}
    by = old.get("Restored") or old.get("UploadId") or ""
    return Row(number, before.store, before.item, before.old_count, old.get("UpdatedAt"), by=by)  # type: ignore[arg-type]


def _name(of: Receipt) -> str:
    """What the undoing file is called: `undo of berlin.csv`, with an ending that says what it is."""
    return f"undo of {of.file.removesuffix('.csv')}.csv"
