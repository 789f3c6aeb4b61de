"""Every page, wide and in light, narrow and in dark, has no serious accessibility violation by axe-core, and fits.

What Streamlit's own markup is guilty of is told from ours by a page that has nothing of ours on it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import axe, dashboard, looking
from tests.axe import Finding
from tests.looking import THEMES, WIDTHS, View, attached, drawn, named, seen_as, shown, views
from tests.past.__main__ import lay
from tests.past.shops import Chain

STREAMLITS: dict[Finding, str] = {}
"""What is wrong with Streamlit's own elements wherever they stand, and why we can't mend it: with 1.67, nothing."""

CONTROL = """
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

st.set_page_config(page_title="Control", layout="wide")
with st.sidebar:
    st.subheader("Control")
    st.page_link("control.py", label="Control")
st.title("Control")
frame = pd.DataFrame({"item": ["Tea"] * 3, "count": range(3)})
st.dataframe(frame, key="few", on_select="rerun", alt="A table")
st.dataframe(pd.DataFrame({"count": range(9_000)}), key="many", lazy=True, alt="A long table")
st.data_editor(frame, key="edited")
st.metric("Items", 3, border=True)
st.plotly_chart(go.Figure(go.Bar(x=[1, 2], y=["a", "b"], orientation="h")), alt="A chart")
st.file_uploader("Files", accept_multiple_files=True)
st.text_input("Search")
st.number_input("Count")
st.selectbox("Store", ["a", "b"])
st.multiselect("Stores", ["a", "b"])
st.segmented_control("State", ["a", "b"], default="a")
st.radio("Mode", ["a", "b"])
st.toggle("Only alerts")
st.date_input("Day")
st.time_input("Time")
st.button("Go")
st.download_button("Download", b"x")
st.tabs(["One", "Two"])
for said in (st.info, st.success, st.warning, st.error, st.caption):
    said("Something")
with st.expander("More"):
    st.json({"a": 1})
with st.popover("Filters"):
    st.checkbox("One")
st.progress(0.5)
"""


@pytest.fixture(scope="module")
def window(browser: Browser) -> Page:
    return looking.window(browser)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[View]]]:
    """A dashboard over the past of some stores, and what is to be looked at of it."""
    home: Path = tmp_path_factory.mktemp("seen")
    with dashboard.running(home) as address, attached(home / "state") as stack:
        lay(stack, Chain(datetime.now(UTC), stores=6, items=20, days=12, seed=3))
        yield address, views(stack)


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard without anything of ours: Streamlit's elements, in its own colours."""
    folder: Path = tmp_path_factory.mktemp("control")
    (folder / "control.py").write_text(CONTROL)
    (folder / "pages").mkdir()
    (folder / "pages" / "another.py").write_text("import streamlit")
    with dashboard.serving(folder, folder / "control.py", {}, folder=folder) as address:
        yield address


def _found(window: Page, address: str, view: View) -> tuple[dict[Finding, str], list[str]]:
    """By axe-core, and what else a reader would trip over, at both widths, each in another theme. A page follows its
    window and the system's colours without being loaded."""
    found: dict[Finding, str] = {}
    wrong: list[str] = []
    with shown(window, address, view, WIDTHS[0], THEMES[0]) as one:
        for width, theme in zip(WIDTHS, THEMES, strict=True):
            seen_as(one.page, width, theme)
            expect(one.page.get_by_test_id("stApp")).to_have_css("color-scheme", theme)
            drawn(one.page, view.heading)
            found |= {finding: f"{width} px, {theme}: {said}" for finding, said in axe.found(one.page).items()}
            wrong += [f"{width} px: {said}" for said in one.wrong()]
    return found, wrong


@pytest.mark.parametrize("name", [*map(named, dashboard.PAGES.values()), "an-upload", "an-item", "a-why"])
def test_a_page_opens_by_its_own_address_fits_and_has_no_serious_violation_of_its_own(
    window: Page, address: tuple[str, list[View]], name: str
):
    [view] = [one for one in address[1] if one.name == name]
    found, wrong = _found(window, address[0], view)
    assert not wrong, "\n".join(wrong)
    own = {finding: said for finding, said in found.items() if finding not in STREAMLITS}
    assert not own, "\n".join(f"{finding.rule} in {finding.of}: {said}" for finding, said in own.items())


def test_a_page_without_anything_of_ours_has_no_other_violations_than_are_known_of_streamlit(
    window: Page, control: str
):
    assert _found(window, control, View("control", "", "Control"))[0].keys() == STREAMLITS.keys()
