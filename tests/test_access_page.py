"""The pages for admins: who may do what, and what was done."""

import uuid
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lambdas import times
from services import audit, people
from services import stack as stacks
from services.access import Role
from services.audit import Did
from services.stack import Stack
from tests.conftest import csv, sent
from tests.test_notifications_page import click
from tests.test_pages import at_home, opened, said, table


@pytest.fixture
def shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    at_home(home, monkeypatch)
    return stacks.connect({"STOCKTRAIL_HOME": str(home)})


def of(stack: Stack, name: str) -> people.Given | None:
    return next((one for one in people.every(stack) if one.name == name), None)


def chosen(app: AppTest, name: str) -> AppTest:
    return app.selectbox(key="who").set_value(name).run()


def form(name: str, role: str) -> AppTest:
    """The form of somebody who is not there yet."""
    app = opened("pages/access.py", who=name)
    return app.radio(key=f"access-{name}-role").set_value(role).run()


def test_somebody_is_given_access_changed_shut_out_and_taken_out_of_the_table(shop: Stack, store: str):
    sent(shop, csv(store, "Tea,3"))
    name = f"{uuid.uuid4().hex[:8]}@example.com"
    app = form(name, "manager")
    app = click(app, "Save")
    assert "Say which stores" in said(app)
    assert of(shop, name) is None
    app.multiselect(key=f"access-{name}-stores").set_value([store]).run()
    app = click(app, "Save")
    assert f"{name}: manager of {store}." in said(app)
    given = of(shop, name)
    assert given
    assert (given.role, given.stores, given.by) == (Role.MANAGER, {store}, "this machine")
    shown = table(app, "changed by")
    assert [tuple(row)[:4] for row in shown[shown["name"] == name].values] == [(name, "manager", store, "this machine")]
    app = chosen(app, name)
    assert app.radio(key=f"access-{name}-role").value == "manager"
    assert app.multiselect(key=f"access-{name}-stores").value == [store]
    click(app.radio(key=f"access-{name}-role").set_value("none").run(), "Save")
    given = of(shop, name)
    assert given
    assert given.role is None
    app = chosen(app, name)
    app = click(app, "Take out of the table")
    assert "is no longer in the table" in said(app)
    assert of(shop, name) is None


def test_a_name_that_nobody_can_sign_in_with_is_refused_with_words_and_shown_as_it_is(shop: Stack):
    before = people.every(shop)
    app = click(form("**bold** :material/home:", "admin"), "Save")
    assert "neither an e-mail address" in said(app)
    assert any("\\*\\*bold\\*\\*" in one.value for one in app.warning)
    assert people.every(shop) == before


def test_the_page_explains_every_role(shop: Stack):  # noqa: ARG001
    words = said(opened("pages/access.py"))
    assert all(f"**{role.capitalize()}**" in words for role in Role)


def test_the_audit_begins_with_what_happened_last_and_its_filters_stand_in_the_address(shop: Stack, store: str):
    for n in range(3):
        audit.note(shop, Did.CORRECTED, store=store, item=f"Tea {n}", was="3", now=str(n))
    audit.note(shop, Did.ACKNOWLEDGED, store=store, item="<b>*Jam*</b>")
    app = opened("pages/audit.py", store=store)
    assert any(f"acknowledged the alert of {store} · <b>*Jam*</b>" in one for one in said(app).split("\n"))
    raw = [one.value for one in app.markdown]
    assert not any("<b>*Jam" in one for one in raw)
    assert list(table(app, "did")["did"])[1:] == [f"corrected {store} · Tea {n}: 3 -> {n}" for n in (2, 1, 0)]
    app = opened("pages/audit.py", store=store, did="corrected", by="this machine", day=times.now()[:10])
    assert len(table(app, "did")) == 3
    app = opened("pages/audit.py", store=store, did="access given")
    assert "Nothing of that kind was done." in said(app)


def test_older_entries_are_a_click_away_and_what_stands_wrongly_in_the_address_is_left_out(shop: Stack, store: str):
    places = []
    for n in range(3):
        audit.note(shop, Did.CORRECTED, store=store, item=f"Tea {n}", was="3", now=str(n))
        places.append(audit.latest(shop, 1).entries[0].place)
    app = opened("pages/audit.py", store=store, before=places[2])
    assert len(table(app, "did")) == 2
    app = click(app, "Newest")
    assert len(table(app, "did")) == 3
    assert len(table(opened("pages/audit.py", store=store, before="../../etc"), "did")) == 3
