"""Why?: what became of an item of an upload, from the file's row to the message, and why it went no further."""

import streamlit as st

from services.why import Asked
from ui import chain, itempage, whichrow
from ui.page import page, plainly

held = page("Why?")


def asked():
    """What the address asks; None: it is still to be chosen."""
    said = {name: st.query_params.get(name) for name in ("upload", "item", "row", "column")}
    store, item = (said["item"] and itempage.named(held, said["item"])) or (None, None)
    row = int(said["row"]) if said["row"] and said["row"].isdecimal() and len(said["row"]) < 10 else None
    if not said["upload"] or (item is None and row is None):
        return None
    return Asked(said["upload"], store, item, row, said["column"])


with plainly():
    if question := asked():
        chain.draw(held, question)
    else:
        whichrow.choose(held)
