"""Upload: pick files, see how they are understood and what they will do, send them, and read what they did."""

import streamlit as st

from services import words
from ui import correction, delivery, known, modes, parcels, plain, preview, samples, waiting
from ui.page import page, plainly
from ui.parcels import Chosen

held = page("Upload")


def forget_choice():
    """The next pick is another choice, even of the same file: a key of its own empties the widget."""
    st.session_state.round = st.session_state.get("round", 0) + 1
    st.session_state.pop("sample", None)
    correction.forget_shapes()


def send(files):
    # The mode is what is chosen now: a click that comes quickly after another mode's is called with what the last run
    # drew. How each file is read is what its preview has shown.
    parcels.pack(files, st.session_state.mode)
    forget_choice()


def picked():
    turn = st.session_state.get("round", 0)
    given = st.file_uploader("Stock files", accept_multiple_files=True, key=f"files-{turn}")
    files = [Chosen(one.file_id, one.name, one.getvalue()) for one in given]
    if sample := st.session_state.get("sample"):
        files.append(Chosen(*sample, samples.read(sample[1])))
    if not files:
        st.caption(
            "CSV, Excel, OpenDocument or JSON, as your program exports it, also zipped. "
            "You see how it is read before anything is sent. Or try a sample:"
        )
        if clicked := samples.chosen("sample"):
            st.session_state.sample = (f"sample-{turn}-{clicked}", clicked)
            st.rerun()
    return files


left, right = st.columns([3, 2], gap="large")
with left:
    files = picked()
with right:
    mode = modes.ask(held.person)

if files:
    buttons = st.container(horizontal=True)  # above the previews: a long file must not push them out of sight
    with plainly():
        looks = [preview.look(held, file, mode) for file in files]
        preview.draw_all(looks)
        drawn = [one.ready for one in looks]
    ready, asked = [one for one in drawn if isinstance(one, Chosen)], drawn.count(preview.ASKED)
    label = f"Send {len(ready)} files" if len(ready) > 1 else "Send"
    sending = {"type": plain.main_button(), "icon": ":material/send:", "disabled": not ready or asked > 0}
    buttons.button(label, on_click=send, args=(ready,), **sending)
    buttons.button("Not now", on_click=forget_choice)
    if asked and len(files) > 1:
        buttons.warning(f"{words.some(asked, 'file')} below with a question.", icon=":material/contact_support:")

sent = parcels.current()
if sent and (sent.files or not files):
    st.subheader("Sent last", anchor=False)
    delivery.deliver(held, sent)

waiting.draw()
with plainly():
    known.draw(held)
