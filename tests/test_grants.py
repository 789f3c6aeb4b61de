"""Grants: the loader loads of a file what its sender may load, and nothing else, whatever stands in it."""

import uuid
from typing import Any

from lambdas import receipts, store_uploads
from lambdas.fates import Mode
from lambdas.grants import Grant, keep
from lambdas.upload import PREFIX, Upload, metadata, new_id
from services import answers, correcting, previewing, stock, trust, undoing, uploads
from services.access import Person, Role
from services.outcome import Receipt
from services.stack import Stack
from tests.conftest import csv, sent, told
from tests.waiting import until


def manager(stack: Stack, *stores: str) -> Stack:
    return stack.acting(Person(f"{uuid.uuid4().hex[:8]}@example.org", Role.MANAGER, frozenset(stores)))


def counts(stack: Stack, store: str) -> dict[str, int]:
    return {one.item: int(one.count or 0) for one in stock.of_store(stack, store)}


def both(own: str, foreign: str) -> bytes:
    return csv(own, "Tea,3") + csv(foreign, "Tea,99").split(b"\n", 1)[1]


def put(stack: Stack, upload_id: str, name: str, data: bytes, said: dict[str, str]) -> Upload:
    """As somebody would who may put objects into the bucket."""
    key = f"{PREFIX}{upload_id}/{name}"
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=data, Metadata=said)
    return until(lambda: next((one for one in latest(stack) if one["Key"] == key), None))


def latest(stack: Stack) -> list[dict[str, Any]]:
    found = [one.upload_id for one in uploads.recent(stack, 20)]
    items = [receipts.get(stack.dynamodb, stack.settings.uploads_table, one or "") for one in found]
    return [one for one in items if one and ("LoadedAt" in one or "FailedAt" in one)]


def test_a_row_of_a_store_that_is_not_the_senders_is_not_usable_and_says_so(stack: Stack, store: str):
    foreign = f"{store} foreign"
    sent(stack, csv(foreign, "Tea,5"))
    own = manager(stack, store)
    receipt = sent(own, both(store, foreign))
    assert told(receipt) == {"inserted": 1, "rejected": 1}
    [line] = uploads.rejected(own, receipt)
    assert (line["row"], line["column"], line["value"]) == (3, "store", foreign)
    assert "may not load this store" in line["reason"]
    assert (counts(stack, store), counts(stack, foreign)) == ({"Tea": 3}, {"Tea": 5})
    assert receipt.stores == frozenset({store})


def test_the_preview_says_the_same(stack: Stack, store: str):
    made, lines = previewing.preview(manager(stack, store), "x.csv", both(store, f"{store} foreign"))
    assert told(made) == {"inserted": 1, "rejected": 1}
    assert [line["reason"] for line in lines if line["fate"] == "rejected"] == [
        "who sent the file may not load this store"
    ]


def test_a_store_that_is_said_or_answered_for_a_file_is_no_way_around_it(stack: Stack, store: str):
    own, foreign = manager(stack, store), f"{store} foreign"
    *_, named = uploads.follow(own, uploads.send(own, "x.csv", b"item,count\nTea,3\n", store=foreign))
    assert told(named) == {"rejected": 1}
    waits = sent(own, b"item,count\nTea,3\n")
    assert waits.state == "waiting"
    answers.answer(own, waits.upload_id or "", uploads.opened(own, b"item,count\nTea,3\n").mapping, foreign)
    *_, answered = uploads.follow(own, waits.upload_id or "")
    assert told(answered) == {"rejected": 1}
    assert counts(stack, foreign) == {}


def test_the_file_is_its_senders_on_every_page_and_no_other_managers(stack: Stack, store: str):
    own, other = manager(stack, store), manager(stack, f"{store} other")
    receipt = sent(own, csv(store, "Tea,3"))
    assert receipt.by == own.person.name
    assert receipt.upload_id in [one.upload_id for one in uploads.recent(own)]
    assert receipt.upload_id not in [one.upload_id for one in uploads.recent(other)]


def test_a_file_of_many_stores_is_seen_by_each_of_them(stack: Stack, store: str):
    """Their names have no room on the receipt: then it is asked for by key."""
    names = [f"{store} {'long' * 40} {number}" for number in range(20)]
    data = b"store,item,count\n" + b"".join(f"{name},Tea,3\n".encode() for name in names)
    receipt = sent(stack, data)
    assert receipt.stores is None
    for name, sees in ((names[7], True), (store, False)):
        found = [one.upload_id for one in uploads.recent(manager(stack, name))]
        assert (receipt.upload_id in found) is sees
    lines = uploads.rows(manager(stack, names[7]), receipt)
    assert [line["store"] for line in lines] == [names[7]]


def test_another_file_dropped_under_an_uploads_id_has_nothing_of_its_grant(stack: Stack, store: str):
    """Nor does it take anything from that one: it is an upload of its own, of whoever put it into the bucket."""
    own, foreign = manager(stack, store), f"{store} foreign"
    receipt = sent(own, csv(store, "Tea,3"))
    said = metadata(Mode.NEWEST, None, by=own.person.name, grant=keep(stack.world, Grant(frozenset(), frozenset(Mode))))
    dropped = put(stack, receipt.upload_id or "", "other.csv", csv(foreign, "Tea,9"), said)
    assert dropped["UploadId"] != receipt.upload_id
    assert {fate: int(many) for fate, many in dropped["Fates"].items() if many} == {"rejected": 1}
    assert counts(stack, foreign) == {}
    assert uploads.receipt(stack, receipt.upload_id or "") == receipt


def test_a_grant_that_does_not_exist_or_is_of_another_mode_loads_nothing(stack: Stack, store: str):
    made_up = put(stack, new_id(), "a.csv", csv(store, "Tea,3"), metadata(Mode.NEWEST, None, grant="0" * 32))
    assert "does not exist" in made_up["Reason"]
    newest = keep(stack.world, Grant(frozenset({store}), frozenset({Mode.NEWEST})))
    stamped = put(stack, new_id(), "b.csv", csv(store, "Tea,3"), metadata(Mode.STAMP, None, grant=newest))
    assert "mode" in stamped["Reason"]
    assert counts(stack, store) == {}


def test_a_manager_of_all_stores_loads_all_of_them_and_in_no_other_mode(stack: Stack, store: str):
    every = stack.acting(Person(f"{uuid.uuid4().hex[:8]}@example.org", Role.MANAGER))
    receipt = sent(every, both(store, f"{store} second"))
    assert told(receipt) == {"inserted": 2}
    key = f"{PREFIX}{receipt.upload_id}/{receipt.file}"
    said = stack.s3.head_object(Bucket=stack.settings.bucket, Key=key)["Metadata"]
    stamped = put(stack, new_id(), "again.csv", csv(store, "Tea,9"), metadata(Mode.STAMP, None, grant=said["grant"]))
    assert "mode" in stamped["Reason"]
    assert counts(stack, store) == {"Tea": 3}


def test_what_may_not_be_loaded_is_no_word_on_its_item_either(stack: Stack, store: str):
    """A newer file that may not speak of a store confirms no count there, and makes no older file stale."""
    foreign = f"{store} foreign"
    sent(stack, csv(foreign, "Tea,5"))
    newer = sent(manager(stack, store), both(store, foreign).replace(b"99", b"5"))
    spoke = store_uploads.since(
        stack.dynamodb, stack.settings.store_uploads_table, foreign, "2000-01-01T00:00:00.000000Z", ""
    )
    assert newer.upload_id not in [one.upload.id for one in spoke]
    assert told(sent(stack, csv(foreign, "Tea,7"))) == {"changed": 1}


def test_a_correction_and_a_release_by_hand_are_for_the_own_stores(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5"))
    own = manager(stack, store)
    [tea] = stock.of_store(own, store)
    assert told(settled(own, correcting.correct(own, tea, tea.count + 1))) == {"changed": 1}  # type: ignore[operator]
    [tea] = stock.of_store(own, store)
    released = settled(own, correcting.release(own, tea))
    assert (released.mode, told(released)) == ("stamp", {"touched": 1})


def settled(stack: Stack, upload_id: str) -> Receipt:
    *_, last = uploads.follow(stack, upload_id)
    return last


def test_an_undo_is_for_who_may_load_all_that_it_puts_back(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5"))
    own = manager(stack, store)
    changed = sent(stack, csv(store, "Tea,6"))
    assert told(settled(own, undoing.send(own, changed.upload_id or ""))) == {"changed": 1}
    assert counts(stack, store) == {"Tea": 5}


def test_the_verification_knows_what_was_not_to_be_loaded(stack: Stack, store: str):
    foreign = f"{store} foreign"
    sent(stack, csv(foreign, "Tea,5"))
    sent(manager(stack, store), both(store, foreign))
    for name in (store, foreign):
        assert trust.verify(stack, name).agrees
