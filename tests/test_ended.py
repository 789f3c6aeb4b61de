"""A sign-out counts at every dashboard of the stack and after a restart; while that is unknown, nobody gets a file."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from services import ended
from services.stack import Stack
from tests.test_serving import ask, cookie
from ui import connection, door

METRICS = "/_stcore/metrics"


@pytest.fixture
def claims(store: str) -> dict[str, Any]:
    """A sign-in that no other test knows."""
    return {"is_logged_in": True, "iss": "https://id.example", "sub": store, "iat": time.time()}


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    """As a dashboard begins: it remembers nothing."""
    yield
    door._ended.clear()
    door._ended_anywhere.clear()


def test_who_signed_out_elsewhere_or_before_a_restart_is_signed_out_here(stack: Stack, claims: dict[str, Any]):
    again = claims | {"iat": claims["iat"] + 1}
    assert door.counts(claims)
    ended.put(stack, door._mark(claims), time.time() + 60)
    door._ended_anywhere.clear()  # some seconds later
    assert not door.counts(claims)
    assert ask(METRICS, signed=True, Cookie=cookie(claims))[:2] == (403, "Sign in first.\n")
    assert door.counts(again)  # the same person, who has signed in once more


def test_what_would_have_ended_by_itself_is_taken_away_by_the_next_sign_out(stack: Stack, store: str):
    now = time.time()
    ended.put(stack, f"{store} long ago", now - 1)
    ended.put(stack, f"{store} just now", now + 60)
    found = {mark: until for mark, until in ended.known(stack).items() if mark.startswith(store)}
    assert found == {f"{store} just now": round(now + 60)}


def test_while_it_cannot_be_asked_who_has_signed_out_nobody_gets_a_file(
    stack: Stack, claims: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    connection._made.clear()
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", str(stack.endpoint))
        patch.setenv("STOCKTRAIL_STACK", "another")
        for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), _keys(stack), strict=True):
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_REGION", "us-east-1")
        status, text, _ = ask(METRICS, signed=True, Cookie=cookie(claims))
        assert (status, text) == (403, "It can't be found out right now whether your sign-in still counts.\n")
        assert ask(METRICS, signed=True)[:2] == (403, "Sign in first.\n")  # for whom nothing is asked
    assert ask(METRICS, signed=True, Cookie=cookie(claims))[:2] == (200, "inside")


def _keys(stack: Stack) -> tuple[str, str, str]:
    keys = stack.session.get_credentials()
    assert keys
    return keys.access_key, keys.secret_key, keys.token
