"""Upload: pick files, see what they will do, send them, and read what they did."""

import streamlit as st

from ui import delivery, parcels, preview, samples
from ui.page import page, plainly
from ui.parcels import Chosen

held = page("Upload")


def forget_choice():
    """The next pick is another choice, even of the same file: a key of its own empties the widget."""
    st.session_state.round = st.session_state.get("round", 0) + 1
    st.session_state.pop("sample", None)


def send(files):
    # What is chosen now: a click that comes quickly after another mode's is called with what the last run drew.
    parcels.pack(files, st.session_state.mode)
    forget_choice()


def picked():
    turn = st.session_state.get("round", 0)
    given = st.file_uploader("Stock files (CSV)", accept_multiple_files=True, key=f"files-{turn}")
    st.caption("A header row with store, item, count and, if you have it, updated_at. Or try a sample:")
    clicked = samples.chosen("sample")
    if clicked:
        st.session_state.sample = (f"sample-{turn}-{clicked}", clicked)
    files = [Chosen(one.file_id, one.name, one.getvalue()) for one in given]
    if sample := st.session_state.get("sample"):
        files.append(Chosen(*sample, samples.read(sample[1])))
    return files


left, right = st.columns([3, 2], gap="large")
with left:
    files = picked()
with right:
    mode = preview.ask_mode()

if files:
    buttons = st.container(horizontal=True)  # above the previews: a long file must not push them out of sight
    with plainly():
        ready = [one for one in (preview.draw(held, file, mode) for file in files) if one]
    label = f"Send {len(ready)} files" if len(ready) > 1 else "Send"
    sending = {"type": "primary", "icon": ":material/send:", "disabled": not ready}
    buttons.button(label, on_click=send, args=(ready,), **sending)
    buttons.button("Not now", on_click=forget_choice)

sent = parcels.current()
if sent and not files:
    st.subheader("Sent last", anchor=False)
    delivery.deliver(held, sent)
