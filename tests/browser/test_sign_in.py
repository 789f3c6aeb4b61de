"""Signing in and out in a real browser: with the engine's Cognito, and with another provider of another maker."""

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import oidc_provider_mock
import pytest
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, BrowserContext, Page, expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from lambdas import times
from local import engine
from services import audit, people, users
from services import stack as stacks
from services.access import Role
from services.audit import Did
from services.stack import Stack
from tests.conftest import csv, sent
from tests.dashboard import PAGES as EVERY
from tests.dashboard import ROOT, at_rest, free_port, serving
from tests.shops import Shop, two_stores
from tests.waiting import until

pytestmark = pytest.mark.filterwarnings(
    "ignore:get_jwt_config", "ignore:authlib"
)  # of the provider, which runs in here
COOKIE = "_streamlit_user"
SECRET = secrets.token_urlsafe(32)
PASSWORD = "Kiosk-on-the-corner-7"  # noqa: S105
HOURS = 12
PAGES = {path: heading for path, heading in EVERY.items() if path not in ("pipeline", "lesson", "access", "audit")}


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[Stack]:
    state = home / "state"
    yield stacks.connect({"STOCKTRAIL_HOME": str(state)})
    engine.detach(state)
    until(lambda: not engine.status(state).running, seconds=300)


@contextmanager
def dashboard_with(home: Path, port: int, provider: dict[str, str]) -> Iterator[str]:
    """The address of a dashboard that one has to sign in to."""
    folder = home / str(port)
    folder.mkdir()
    common = {
        "STOCKTRAIL_HOME": str(home / "state"), "STOCKTRAIL_ADDRESS": f"http://127.0.0.1:{port}",
        "STOCKTRAIL_COOKIE_SECRET": SECRET,
    }  # fmt: skip
    with serving(folder, ROOT / "app.py", common | provider, folder=ROOT, port=port) as address:
        yield address


@pytest.fixture(scope="module")
def pool(home: Path, stack: Stack) -> Iterator[str]:
    """The address of a dashboard to which one signs in with the stack's own pool."""
    port = free_port()
    users.send_back_to(stack, f"http://127.0.0.1:{port}")
    with dashboard_with(home, port, {"STOCKTRAIL_SIGN_IN": "cognito"}) as address:
        yield address


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """One for all, as what was loaded once is at hand for the next."""
    with closing(browser.new_context()) as made:
        yield made


@pytest.fixture
def context(profile: BrowserContext) -> Iterator[BrowserContext]:
    """Nobody is signed in there."""
    profile.clear_cookies()
    yield profile
    for page in profile.pages:
        page.close()


def made(stack: Stack, mail: str, role: Role | None, stores: Iterable[str] | None = None) -> str:
    """The address of a new user of the pool."""
    users.add(stack, mail, PASSWORD)
    if role:
        people.put(stack, mail, role, stores)
    return mail


def enter(page: Page, address: str, mail: str) -> None:
    """Sign in with the pool's own page."""
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Username").fill(mail)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def inside(page: Page, *said: str) -> None:
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    for text in said:
        expect(page.get_by_test_id("stSidebar").get_by_text(text)).to_be_visible()


def outside(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_role("link", name="Uploads")).to_have_count(0)
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("Stocktrail")


def leave(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()


def test_each_role_signs_in_and_out_and_then_no_tab_is_open_any_more(context: BrowserContext, pool: str, stack: Stack):
    page, other = context.new_page(), context.new_page()
    for role in Role:
        mail = made(stack, f"{role}@example.com", role, ["Berlin"] if role is Role.MANAGER else None)
        enter(page, pool, mail)
        stores = "Berlin" if role is Role.MANAGER else "all stores"
        inside(page, mail, f"{role.capitalize()} · {stores}")
        if role is Role.VIEWER:
            other.goto(pool)
            inside(other, mail)
        leave(page)
        outside(page)
        if role is Role.VIEWER:
            outside(other)  # by itself
    for path in ("uploads", "pipeline", "stock?item=Berlin%1FTea"):
        page.goto(f"{pool}/{path}")
        outside(page)


def test_who_has_no_role_is_told_and_a_role_comes_and_goes_while_the_page_is_open(
    context: BrowserContext, pool: str, stack: Stack
):
    mail = made(stack, "new@example.com", None)
    page = context.new_page()
    enter(page, pool, mail)
    expect(page.get_by_role("heading", name="No access yet")).to_be_visible()
    expect(page.get_by_text(mail)).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    people.put(stack, mail, Role.VIEWER)
    inside(page, mail)  # nobody has touched the page
    people.put(stack, mail, None)
    expect(page.get_by_role("heading", name="No access yet")).to_be_visible()  # nobody has touched the page
    expect(page.get_by_role("heading", name="Overview")).to_have_count(0)


def test_a_forged_an_expired_and_a_foreign_cookie_are_no_sign_in(context: BrowserContext, pool: str, stack: Stack):
    now = time.time()
    claims = {
        "iss": "https://id.example", "sub": "1", "email": "forged@example.com", "email_verified": True, "iat": now,
        "origin": pool, "is_logged_in": True, "provider": "default",
    }  # fmt: skip
    people.put(stack, "forged@example.com", Role.ADMIN)

    def with_cookie(page: Page, said: dict[str, Any], secret: str = SECRET, salt: str = COOKIE) -> Page:
        value = create_signed_value(secret, salt, json.dumps(claims | said)).decode()
        context.add_cookies([{"name": COOKIE, "value": value, "url": pool}])
        page.goto(pool)
        return page

    ends_soon = with_cookie(context.new_page(), {"iat": time.time() - HOURS * 3600 + 20})
    inside(ends_soon, "forged@example.com")
    page = context.new_page()
    inside(with_cookie(page, {}), "forged@example.com")  # or else nothing of this would prove anything
    assert page.request.get(f"{pool}/media/none").status == 404
    outside(with_cookie(page, {}, secret=secrets.token_urlsafe(32)))
    outside(with_cookie(page, {}, salt="_streamlit_user_tokens"))
    outside(with_cookie(page, {"iat": now - HOURS * 3600}))
    outside(with_cookie(page, {"iat": now + 3600}))
    outside(with_cookie(page, {"iat": None}))
    outside(with_cookie(page, {"origin": "http://127.0.0.1:1"}))
    outside(with_cookie(page, {"is_logged_in": "yes"}))
    assert page.request.get(f"{pool}/media/none").status == 403
    outside(ends_soon)  # by itself


# --- a provider of another maker -----------------------------------------------------------------------------------


@dataclass
class Provider:
    """``keys``: what it says its public keys are; None: the truth."""

    address: str
    keys: bytes | None = None


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    claims = {"email": "ann@other.example", "email_verified": True, "groups": ["stocktrail-manager"], "stores": "Bonn"}
    known = [
        oidc_provider_mock.User(sub="ann", claims=claims),
        *(
            oidc_provider_mock.User(
                sub=role,
                claims={"email": f"{role}@other.example", "email_verified": True, "groups": [f"stocktrail-{role}"]}
                | ({"stores": "*"} if role is Role.VIEWER else {}),
            )
            for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
        ),
        oidc_provider_mock.User(sub="eve", claims=claims | {"email_verified": False, "groups": []}),
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=known) as server:
        found = Provider(f"http://localhost:{server.server_port}")
        honest = server.app

        def saying(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if environ["PATH_INFO"] == "/jwks" and found.keys:
                start("200 OK", [("Content-Type", "application/json")])
                return [found.keys]
            return honest(environ, start)

        server.app = saying
        yield found


@pytest.fixture(scope="module")
def other(home: Path, stack: Stack, provider: Provider) -> Iterator[str]:
    """The address of a dashboard to which one signs in with that provider."""
    assert stack
    named = {
        "STOCKTRAIL_SIGN_IN": f"{provider.address}/.well-known/openid-configuration",
        "STOCKTRAIL_CLIENT_ID": "stocktrail", "STOCKTRAIL_CLIENT_SECRET": "of the client",
    }  # fmt: skip
    with dashboard_with(home, free_port(), named) as address:
        yield address


def authorize(page: Page, address: str, who: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_placeholder("sub").fill(who)
    page.get_by_role("button", name="Authorize").click()


def test_any_other_provider_signs_people_in_by_its_groups_and_out(
    context: BrowserContext, other: str, provider: Provider
):
    page = context.new_page()
    authorize(page, other, "ann")
    inside(page, "ann@other.example", "Manager · Bonn")
    leave(page)
    page.get_by_role("button", name="End session").click()
    outside(page)
    for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN):
        authorize(page, other, role)
        inside(page, f"{role}@other.example", f"{role.capitalize()} · all stores")
        expect(page.get_by_role("link", name="Pipeline")).to_have_count(int(role is not Role.VIEWER))
        expect(page.get_by_role("link", name="Audit")).to_have_count(int(role is Role.ADMIN))
        leave(page)
        page.get_by_role("button", name="End session").click()
        outside(page)
    authorize(page, other, "eve")  # the same address, which nobody has verified
    expect(page.get_by_text(f"{provider.address}|eve")).to_be_visible()
    expect(page.get_by_role("heading", name="No access yet")).to_be_visible()


def test_a_token_that_another_key_has_signed_is_refused(context: BrowserContext, other: str, provider: Provider):
    page = context.new_page()
    honest = json.loads(page.request.get(f"{provider.address}/jwks").body())
    key = RSAKey.generate_key(2048, private=False).as_dict()
    provider.keys = json.dumps({"keys": [honest["keys"][0] | {"n": key["n"], "e": key["e"]}]}).encode()
    try:
        authorize(page, other, "ann")
        outside(page)
        assert not [cookie for cookie in context.cookies(other) if cookie.get("name") == COOKIE]
    finally:
        provider.keys = None
    authorize(page, other, "ann")
    inside(page, "ann@other.example")


# --- two managers at once ------------------------------------------------------------------------------------------


@dataclass
class Watched:
    """A window of somebody, and all that the dashboard has sent to it."""

    page: Page
    frames: list[bytes]

    def was_told(self, what: str) -> bool:
        return any(what.encode() in frame for frame in self.frames)


@contextmanager
def window_of(browser: Browser, address: str, mail: str) -> Iterator[Watched]:
    claims = {"iss": "https://id.example", "sub": mail, "email": mail, "email_verified": True, "iat": time.time()}
    claims |= {"origin": address, "is_logged_in": True, "provider": "default"}
    value = create_signed_value(SECRET, COOKIE, json.dumps(claims)).decode()
    with closing(browser.new_context()) as context:
        context.add_cookies([{"name": COOKIE, "value": value, "url": address}])
        page, frames = context.new_page(), list[bytes]()

        def hear(payload: str | bytes) -> None:
            frames.append(payload if isinstance(payload, bytes) else payload.encode())

        page.on("websocket", lambda socket: socket.on("framereceived", hear))
        page.on("response", lambda answer: frames.append(answer.url.encode()) if "/media/" in answer.url else None)
        yield Watched(page, frames)


def downloaded(page: Page, popover: str, label: str) -> bytes:
    page.get_by_role("button", name=popover).click()
    with page.expect_download() as found:
        page.get_by_role("button", name=label, exact=True).click()
    return found.value.path().read_bytes()


def test_two_managers_at_once_never_see_each_others_store(browser: Browser, pool: str, stack: Stack):
    """In no page, chart, feed, export or address: nothing that the dashboard sends to one tells of the other's."""
    with two_stores(stack) as shop:
        own, foreign = (f"{name}-{shop.mark[6:]}@example.com" for name in ("own", "foreign"))
        people.put(stack, own, Role.MANAGER, [shop.own])
        people.put(stack, foreign, Role.MANAGER, [shop.foreign])
        with window_of(browser, pool, own) as anna, window_of(browser, pool, foreign) as bob:
            bob.page.goto(f"{pool}/changes")  # while she goes through all of them
            for path, heading in PAGES.items():
                anna.page.goto(f"{pool}/{path}")
                expect(anna.page.get_by_role("heading", level=1, name=heading)).to_be_visible()
                at_rest(anna.page)
            for path in (
                "uploads?upload=" + shop.both, "uploads?show=Records&upload=" + shop.both,
                "uploads?show=Alerts&upload=" + shop.both, "changes?upload=" + shop.both, "why?upload=" + shop.both,
                "stock?at=" + times.later(times.now(), seconds=-1)[:19] + "Z",
            ):  # fmt: skip
                anna.page.goto(f"{pool}/{path}")
                at_rest(anna.page)
            expect(anna.page.get_by_text("The past")).to_be_visible()
            _live(anna, bob, pool, stack, shop)
            assert not anna.was_told(shop.mark)
            assert not anna.was_told("Gold")
            _addresses(anna.page, pool, shop)
            assert not anna.was_told("Gold")
        known = {one.did: one for one in audit.latest(stack, 200).entries if one.by == own}
        assert known[Did.SIGNED_IN].via == "this machine"
        assert "not one of yours" in known[Did.REFUSED].about["what"]


def _live(anna: Watched, bob: Watched, pool: str, stack: Stack, shop: Shop) -> None:
    """What comes in while both look, and what they take away."""
    for one in (anna, bob):
        one.page.goto(f"{pool}/changes?new=Follow")
        at_rest(one.page)
    assert bob.was_told("Gold")
    sent(stack, csv(shop.foreign, "Silver,0"))
    sent(stack, csv(shop.own, "Copper,0"))
    until(lambda: bob.page.wait_for_timeout(200) is None and bob.was_told("Silver"), seconds=60)
    until(lambda: anna.page.wait_for_timeout(200) is None and anna.was_told("Copper"), seconds=60)
    assert not anna.was_told("Silver")
    assert not bob.was_told("Copper")
    anna.page.goto(f"{pool}/changes")  # which stands still
    at_rest(anna.page)
    feed = downloaded(anna.page, "Export", "CSV").decode()
    anna.page.goto(f"{pool}/stock")
    at_rest(anna.page)
    stock = downloaded(anna.page, "Export", "CSV").decode()
    for text in (feed, stock):
        assert "Copper" in text
        assert not [name for name in (shop.mark, "Silver", "Gold") if name in text]


def _addresses(page: Page, pool: str, shop: Shop) -> None:
    """Who types the other's names into an address is told nothing but that they are not theirs."""
    for path, said in {
        f"uploads?upload={shop.secret}": "There is no upload",
        f"why?upload={shop.secret}&row=2": "There is no upload",
        f"stock?item={quote(shop.foreign)}/Jam": "not one of yours",
        f"why?upload={shop.both}&item={quote(shop.foreign)}/Tea": "not one of yours",
        f"why?upload={shop.both}&row=5": "not of your stores",
        "pipeline": "does not allow", "lesson": "does not allow", "access": "does not allow", "audit": "does not allow",
    }.items():  # fmt: skip
        page.goto(f"{pool}/{path}")
        expect(page.get_by_text(said).first).to_be_visible()
