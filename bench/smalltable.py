"""What Streamlit itself costs: a small table in a fragment that draws itself anew every two seconds, and nothing else.

A script for `streamlit run`, as people write one; `bench.viewers` measures it beside the Changes page.
"""

import time

import pandas as pd
import streamlit as st


@st.fragment(run_every=2)
def feed() -> None:
    now = int(time.time() * 10)
    rows = [(f"Item {(now - n) % 1000:04}", (now - n) % 97, (now - n) % 89) for n in range(20)]
    st.dataframe(pd.DataFrame(rows, columns=["item", "before", "after"]))


feed()
