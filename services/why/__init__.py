"""Why? For an upload and an item, or a row: the chain from the file's row to the notification, and one sentence.

`chain` is what is answered; `finding` and `gathering` ask, for the `facts`; `endings` judges them; `sentences`,
`aftermath` and `linking` have the words, and `ways` says which belong to which ending.
"""

from services import sight, uploads
from services.access import MACHINE, Right, needs
from services.errors import Refused, mapped
from services.stack import Stack
from services.why import endings
from services.why.chain import STEPS, Asked, Chain, Link, Name, Step
from services.why.gathering import gather
from services.why.linking import links
from services.why.ways import WAYS

__all__ = ["STEPS", "Asked", "Chain", "Link", "Name", "Step", "why"]


@mapped
@needs(Right.SEE)
def why(stack: Stack, asked: Asked) -> Chain:
    """The chain as it is now. NotFound when there is no such upload, or none that the person sees; Refused when the
    item is not of the person's stores."""
    person, of = stack.person, uploads.receipt(stack, asked.upload_id)
    person.must(Right.SEE, [asked.store] if asked.store else ())
    facts = gather(stack.acting(MACHINE), asked)
    if facts.line is not None and not sight.lines(of, [facts.line], person):
        raise Refused("This row is not of your stores. Ask an admin of this dashboard.")
    ending = endings.of(facts)
    way, line = WAYS[ending], facts.line or {}
    return Chain(
        asked.upload_id, facts.of.file, line.get("store", asked.store), line.get("item", asked.item),
        line.get("row", asked.row), ending.value, way.sentence(facts), links(facts, way), way.moves,
    )  # fmt: skip
