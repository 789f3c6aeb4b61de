"""Stock by store: a picture of all of them, from which each is opened."""

import streamlit as st

from ui import charts, following
from ui.reads import Link

_STOCK = "pages/stock.py"
_HOW = "Each tile is a store, the one with the most out first; the number is how many of its items are out."


def draw(held: Link) -> None:
    """Nothing of one store: the figures above have said it all."""
    now = following.figures(held)
    if len(now.stores) < 2:
        return
    st.subheader("Stock by store", anchor=False)
    if len(now.stores) > charts.BARS:
        st.caption(_HOW)
    picture = charts.stores(now)
    alt = f"{len(now.stores):,} stores, the one with the most out of stock first"
    clicked = st.plotly_chart(
        picture.figure, key="by-store", config=charts.CONFIG, alt=alt, on_select="rerun", selection_mode="points"
    )
    if picture.rest:
        st.caption(picture.rest)
    names = sorted(of.store for of in now.stores)
    chosen = st.selectbox(
        "Open a store", names, index=None, placeholder="Or choose it by its name", key="to-store", width=320
    )
    if points := clicked["selection"]["points"]:
        chosen = picture.names[points[0]["curve_number"]][points[0]["point_index"]]
    if chosen:
        st.switch_page(_STOCK, query_params={"store": chosen})
