"""Answers: what a person said of an upload that waited, kept in the bucket beside its file.

The receipt holds the answer as well; the bucket's copy is the one that outlives whatever happens to the receipt.
"""

from collections.abc import Iterator
from dataclasses import replace

from lambdas import objects
from lambdas.upload import Upload
from lambdas.world import World


def keep(world: World, upload_id: str, mapping: str, store: str | None) -> None:
    """Keep an answer: the id of a mapping, and the store where one was said."""
    objects.put(world, _key(upload_id), {"mapping": mapping, "store": store})


def answered(world: World, upload: Upload) -> Upload | None:
    """The upload as it was answered, if it was."""
    said = objects.get(world, _key(upload.id))
    return replace(upload, mapping=said["mapping"], store=said["store"] or upload.store) if said else None


def upload_ids(world: World) -> Iterator[str]:
    """The uploads that have been answered."""
    return (key.removeprefix(objects.ANSWERS).removesuffix(".json") for key in objects.keys(world, objects.ANSWERS))


def _key(upload_id: str) -> str:
    return f"{objects.ANSWERS}{upload_id}.json"
