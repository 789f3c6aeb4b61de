"""Upload ids, object keys and what S3's events say."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.fates import Mode
from lambdas.upload import Address, Upload, metadata, new_id, object_key, of_s3_record, s3_event, time_of, with_metadata

MOMENT = datetime(2026, 11, 23, 12, 53, 44, 123456, UTC)
ADDRESS = Address("bucket", "uploads/x/y.csv")


def record(key: str, sequencer: str = "0055AED6DCD90281E5") -> dict[str, object]:
    thing = {"key": key, "versionId": "v1", "sequencer": sequencer}
    return {"eventTime": "2026-11-23T12:53:44.123Z", "s3": {"bucket": {"name": "bucket"}, "object": thing}}


def test_an_id_carries_its_time_and_ids_sort_by_it():
    assert time_of(new_id(MOMENT)) == "2026-11-23T12:53:44.123456Z"
    assert new_id(MOMENT) < new_id(MOMENT.replace(microsecond=123457))


@given(st.text(min_size=1))
def test_whatever_the_file_is_called_its_object_stays_in_its_uploads_folder(name: str):
    upload_id = new_id(MOMENT)
    key = object_key(upload_id, name)
    assert key.startswith(f"uploads/{upload_id}/")
    assert key.count("/") == 2
    assert len(key.encode()) <= 1024


def test_a_key_of_ours_gives_its_upload_and_an_encoded_name_is_decoded():
    upload = of_s3_record(record("uploads/20261123T125344123456-0a1b2c3d/stock+of+Z%C3%BCrich.csv"))
    assert (upload.id, upload.name) == ("20261123T125344123456-0a1b2c3d", "stock of Zürich.csv")
    assert upload.address == Address("bucket", "uploads/20261123T125344123456-0a1b2c3d/stock of Zürich.csv", "v1")


def test_a_file_dropped_from_outside_gets_one_id_however_often_the_event_comes():
    first, again, other = (of_s3_record(record("uploads/till/berlin.csv", s)) for s in ("1", "1", "2"))
    assert first == again
    assert first.id != other.id
    assert (first.name, first.time) == ("berlin.csv", "2026-11-23T12:53:44.123000Z")


@pytest.mark.parametrize("store", [None, "Zürich / Süd"])
@pytest.mark.parametrize("mapping", [None, "auto", "0123456789abcdef"])
def test_mode_store_and_mapping_travel_with_the_object_as_ascii(store: str | None, mapping: str | None):
    given = metadata(Mode.PLAIN, store, mapping)
    assert all(value.isascii() for value in given.values())
    upload = with_metadata(Upload("id", ADDRESS, "y.csv"), given)
    assert (upload.mode, upload.store, upload.mapping) == (Mode.PLAIN, store, mapping)


def test_what_is_known_of_an_upload_counts_more_than_its_metadata():
    upload = Upload("id", ADDRESS, "y.csv", store="Oslo", mapping="auto")
    assert with_metadata(upload, metadata(Mode.NEWEST, "Berlin", "0123456789abcdef")) == upload


@pytest.mark.parametrize("version", [None, "v1"])
@pytest.mark.parametrize("key", ["uploads/till/Käse & Brot+.csv", "uploads/20261123T125344123456-0a1b2c3d/y.csv"])
def test_an_event_of_our_own_gives_the_same_upload_back_whatever_its_key(key: str, version: str | None):
    upload = Upload(new_id(MOMENT), Address("bucket", key, version), key.split("/")[-1])
    [record] = s3_event(upload)["Records"]
    assert of_s3_record(json.loads(json.dumps(record))) == upload


def test_an_object_without_metadata_is_applied_newest_wins():
    assert with_metadata(Upload("id", ADDRESS, "y.csv"), {}).mode is Mode.NEWEST
