"""What will be out soon, with what that is worked out from; only of items whose history allows to tell."""

import pandas as pd
import streamlit as st

from services import cover, words
from services.cover import DAYS, FALLS, KNOWN_DAYS, SOON_DAYS
from services.lately import Soon
from ui import following, links, plain, tables
from ui.overview.short import ROWS, SHOWN, rest
from ui.picking import picked
from ui.reads import Link


def draw(held: Link) -> None:
    """Nothing when there is nothing to judge by."""
    soon = following.soon(held)
    if soon.reached:
        st.caption(
            f"What will be out soon is being worked out from the last {DAYS} days; read so far: back to "
            f"{plain.clock(soon.reached)}."
        )
    if not soon.judged:
        return
    st.subheader("Out soon", anchor="soon")
    if soon.covers:
        _table(soon)
    else:
        st.success(
            f"Nothing will be out within {SOON_DAYS} days, as far as can be told.", icon=":material/check_circle:"
        )
    st.caption(
        f"From what fell in the last {DAYS} days; a delivery is no fall. It can be told of "
        f"{words.some(soon.judged, 'item')}: known for {KNOWN_DAYS} days or longer, and fallen on {FALLS} days or more."
    )


def _table(soon: Soon) -> None:
    shown = soon.covers[:SHOWN]
    rows = [(one.item, one.store, cover.lasting(one), cover.basis(one)) for one in shown]
    frame = pd.DataFrame(rows, columns=["item", "store", "lasts", "because it"])
    columns = {
        "lasts": st.column_config.TextColumn("Lasts", width=120),
        "because it": st.column_config.TextColumn("Because it…", width=420),
    }
    chosen = picked(frame, shown, "soon", "Items that will be out soon", tables.height(len(frame), ROWS), columns)
    rest(len(shown), len(soon.covers), "that will be out first")
    if chosen:
        links.open_item(chosen.store, chosen.item)
