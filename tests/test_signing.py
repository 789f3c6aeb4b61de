"""Sign-in as the environment sets it up, what a token gives, the access table, the user pool, and its pages' way in."""

import asyncio
import json
import os
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest

from local.gate import Gate
from services import people, signing, users
from services.access import MACHINE, Person, Right, Role
from services.errors import NotFound, NotPossible, Refused
from services.people import Given
from services.stack import Stack
from tests.test_cli import asked, run

PROVIDER = "https://id.example/.well-known/openid-configuration"
NAMED = {
    "STOCKTRAIL_SIGN_IN": PROVIDER, "STOCKTRAIL_CLIENT_ID": "stock", "STOCKTRAIL_CLIENT_SECRET": "the client's secret",
    "STOCKTRAIL_ADDRESS": "https://stock.example/", "STOCKTRAIL_COOKIE_SECRET": "c" * 32, "AWS_ENDPOINT_URL": "-",
}  # fmt: skip
POOL = {"STOCKTRAIL_SIGN_IN": "cognito"}


# --- the settings --------------------------------------------------------------------------------------------------


def test_without_settings_nobody_has_to_sign_in():
    assert not signing.configured({})
    assert signing.secrets({"STOCKTRAIL_COOKIE_SECRET": "short"}) == {}


def test_any_provider_is_set_up_as_streamlit_takes_it():
    assert signing.configured(NAMED)
    assert signing.secrets(NAMED) == {"auth": {
        "redirect_uri": "https://stock.example/oauth2callback", "cookie_secret": "c" * 32, "client_id": "stock",
        "client_secret": "the client's secret", "server_metadata_url": PROVIDER,
    }}  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"STOCKTRAIL_SIGN_IN": "okta"}, "it is to be cognito, or a provider"),
        ({"STOCKTRAIL_SIGN_IN": PROVIDER.replace("https", "http")}, "begin with https"),
        ({"STOCKTRAIL_CLIENT_ID": ""}, "STOCKTRAIL_CLIENT_ID is not set"),
        ({"STOCKTRAIL_CLIENT_SECRET": ""}, "STOCKTRAIL_CLIENT_SECRET is not set"),
        ({"STOCKTRAIL_ADDRESS": "http://stock.example"}, "begin with https"),
        ({"STOCKTRAIL_ADDRESS": "stock.example"}, "no address"),
        ({"STOCKTRAIL_ADDRESS": "https://me@stock.example"}, "no address"),
        ({"STOCKTRAIL_ADDRESS": "https://stock.example?x"}, "no address"),
        ({"STOCKTRAIL_ADDRESS": "https://stock.example:x"}, "no address"),
        ({"STOCKTRAIL_COOKIE_SECRET": "c" * 31}, "too short"),
        ({"STOCKTRAIL_COOKIE_SECRET": ""}, "STOCKTRAIL_COOKIE_SECRET is not set"),
        ({"STOCKTRAIL_SESSION_HOURS": "0"}, "number of hours"),
        ({"STOCKTRAIL_SESSION_HOURS": "nan"}, "number of hours"),
        ({"STOCKTRAIL_SESSION_HOURS": "a day"}, "number of hours"),
    ],
)
def test_what_is_unsafe_or_missing_is_refused_before_anybody_signs_in(wrong: dict[str, str], words: str):
    with pytest.raises(NotPossible, match=words) as refused:
        signing.secrets(NAMED | wrong)
    assert "the client's secret" not in str(refused.value)


def test_the_stacks_own_pool_is_set_up_from_its_outputs(stack: Stack):
    names = stack.settings
    made = signing.secrets(os.environ | POOL)["auth"]
    asked = {"UserPoolId": names.user_pool, "ClientId": names.user_pool_client}
    client = stack.client("cognito-idp").describe_user_pool_client(**asked)["UserPoolClient"]
    assert (made["client_id"], made["client_secret"]) == (names.user_pool_client, client["ClientSecret"])
    assert made["redirect_uri"] == "http://localhost:8501/oauth2callback"
    assert len(made["cookie_secret"]) == 64
    assert made["cookie_secret"] == signing.secrets(os.environ | POOL)["auth"]["cookie_secret"]  # over a restart
    metadata = made["server_metadata_url"].removeprefix(stack.endpoint)
    found = json.loads(browse(stack, "GET", metadata, made["client_kwargs"]["headers"])[2])
    assert found["issuer"].endswith(f"/{names.user_pool}")
    assert found["authorization_endpoint"] == f"{stack.endpoint}/oauth2/authorize"
    assert browse(stack, "GET", metadata, {})[0] == 403


def test_the_pool_sends_nobody_anywhere_but_to_the_dashboards_one_address(stack: Stack):
    elsewhere = os.environ | POOL | {"STOCKTRAIL_ADDRESS": "http://127.0.0.1:8600"}
    with pytest.raises(NotPossible, match=r"users address http://127.0.0.1:8600"):
        signing.secrets(elsewhere)
    try:
        assert run("users", "address", "http://127.0.0.1:8600/").returncode == 0
        assert signing.secrets(elsewhere)["auth"]["redirect_uri"] == "http://127.0.0.1:8600/oauth2callback"
        with pytest.raises(NotPossible, match="does not send anybody back to http://localhost:8501"):
            signing.secrets(os.environ | POOL)
        client = _client(stack)
        assert client["AllowedOAuthFlows"] == ["code"]  # nothing else was reset
        assert client["WriteAttributes"] == ["email", "name"]
        assert run("users", "address", "https://stock.example").returncode == 0
        with pytest.raises(NotPossible, match="for browsers on this machine"):
            signing.secrets(os.environ | POOL | {"STOCKTRAIL_ADDRESS": "https://stock.example"})
    finally:
        users.send_back_to(stack, signing.AT_FIRST)


def _client(stack: Stack) -> dict[str, Any]:
    which = {"UserPoolId": stack.settings.user_pool, "ClientId": stack.settings.user_pool_client}
    found: dict[str, Any] = stack.client("cognito-idp").describe_user_pool_client(**which)["UserPoolClient"]
    return found


def test_the_pool_is_as_the_template_has_it(stack: Stack):
    cognito, pool = stack.client("cognito-idp"), stack.settings.user_pool
    made = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    assert made["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]
    assert made["UsernameAttributes"] == ["email"]
    assert made["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert made["Domain"].startswith("stocktrail-")
    groups = {group["GroupName"] for group in cognito.list_groups(UserPoolId=pool)["Groups"]}
    assert groups == {people.GROUP + role for role in Role}
    client = _client(stack)
    assert client["CallbackURLs"] == [f"{signing.AT_FIRST}/oauth2callback"]
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"


# --- what a token gives --------------------------------------------------------------------------------------------

MAIL = {"iss": "https://id.example", "sub": "42", "email": "Ann@Example.com", "email_verified": True}
BERLIN = frozenset({"Berlin"})
TABLE = {
    "ann@example.com": Given("ann@example.com", Role.MANAGER, BERLIN, "me", ""),
    "gone@example.com": Given("gone@example.com", None, None, "me", ""),
    "https://id.example|43": Given("https://id.example|43", Role.OPERATOR, None, "me", ""),
}


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (MAIL, ("ann@example.com", Role.MANAGER, BERLIN)),
        (MAIL | {"cognito:groups": ["stocktrail-admin"]}, ("ann@example.com", Role.MANAGER, BERLIN)),
        (MAIL | {"email_verified": "true"}, ("ann@example.com", Role.MANAGER, BERLIN)),
        # anybody may write another's address into an account of their own
        (MAIL | {"email_verified": False}, ("https://id.example|42", None, frozenset())),
        (MAIL | {"email_verified": "yes"}, ("https://id.example|42", None, frozenset())),
        (MAIL | {"email_verified": 1}, ("https://id.example|42", None, frozenset())),
        ({**MAIL, "email_verified": None}, ("https://id.example|42", None, frozenset())),
        (MAIL | {"email": ["ann@example.com"]}, ("https://id.example|42", None, frozenset())),
        ({"iss": "https://id.example", "sub": "43"}, ("https://id.example|43", Role.OPERATOR, None)),
        ({"iss": "https://evil.example", "sub": "43"}, ("https://evil.example|43", None, frozenset())),
        (MAIL | {"email": "https://id.example|43"}, ("https://id.example|42", None, frozenset())),
        (MAIL | {"email": "GONE@example.com", "groups": ["stocktrail-admin"]}, ("gone@example.com", None, None)),
        (MAIL | {"email": "b@x.org"}, ("b@x.org", None, frozenset())),
        (MAIL | {"email": "b@x.org", "groups": ["stocktrail-viewer", "admin", "stocktrail-root"]},
         ("b@x.org", Role.VIEWER, frozenset())),
        (MAIL | {"email": "b@x.org", "roles": "stocktrail-viewer, stocktrail-manager", "stores": "Berlin, Bonn,"},
         ("b@x.org", Role.MANAGER, frozenset({"Berlin", "Bonn"}))),
        (MAIL | {"email": "b@x.org", "groups": ["stocktrail-manager"], "custom:stores": ["*"]},
         ("b@x.org", Role.MANAGER, None)),
        (MAIL | {"email": "b@x.org", "groups": ["stocktrail-manager"], "stores": {"all": True}},
         ("b@x.org", Role.MANAGER, frozenset())),
        (MAIL | {"email": "b@x.org", "groups": ["stocktrail-manager"], "custom:stores": "Bonn", "stores": "*"},
         ("b@x.org", Role.MANAGER, frozenset({"Bonn"}))),
        (MAIL | {"email": "b@x.org", "groups": ["stocktrail-operator"]}, ("b@x.org", Role.OPERATOR, None)),
        (MAIL | {"email": "b@x.org", "groups": ["stocktrail-admin", "stocktrail-viewer"], "stores": "Bonn"},
         ("b@x.org", Role.ADMIN, None)),
        (MAIL | {"email": "b@x.org", "groups": [["stocktrail-admin"], 7, None]}, ("b@x.org", None, frozenset())),
        # the sign for kelvin is k in lower case, and another address
        (MAIL | {"email": "mi\u212ae@x.org"}, ("mi\u212ae@x.org", None, frozenset())),
    ],
)  # fmt: skip
def test_a_person_is_what_the_table_says_and_else_the_tokens_groups(claims: dict[str, Any], expected: tuple[Any, ...]):
    found = people.person(TABLE, claims, "10.0.0.7")
    stores = expected[2] if expected[1] in (Role.VIEWER, Role.MANAGER) else None
    assert found == Person(expected[0], expected[1], stores, "10.0.0.7")


# --- the access table ----------------------------------------------------------------------------------------------


@pytest.fixture
def name(store: str) -> str:
    """An address that no other test uses."""
    return f"{store.replace(' ', '.').lower()}@example.com"


def test_an_entry_counts_for_the_next_who_asks_until_it_is_forgotten(stack: Stack, name: str):
    claims = MAIL | {"email": name, "groups": ["stocktrail-viewer"], "stores": "*"}
    assert people.of_claims(stack, claims) == Person(name, Role.VIEWER, None)
    by = stack.acting(Person("boss@example.com", Role.ADMIN))
    people.put(by, f" {name.upper()} ", Role.MANAGER, ["Berlin", "Bonn"])
    assert people.of_claims(stack, claims) == Person(name, Role.MANAGER, frozenset({"Berlin", "Bonn"}))
    [entry] = [one for one in people.every(by) if one.name == name]
    assert (entry.by, entry.role, entry.at[:2]) == ("boss@example.com", Role.MANAGER, "20")
    people.put(by, name, None)
    assert people.of_claims(stack, claims).role is None
    people.put(by, name, Role.OPERATOR, ["Berlin"])
    assert people.of_claims(stack, claims) == Person(name, Role.OPERATOR, None)
    people.forget(by, name)
    assert people.of_claims(stack, claims) == Person(name, Role.VIEWER, None)


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.MANAGER, Role.OPERATOR])
def test_only_an_admin_reads_or_changes_who_may_do_what(stack: Stack, role: Role | None, name: str):
    mine = stack.acting(Person(name, role))
    for attempt in (
        lambda: people.every(mine),
        lambda: people.put(mine, name, Role.ADMIN),
        lambda: people.forget(mine, "other@example.com"),
    ):
        with pytest.raises(Refused):
            attempt()
    assert name not in people.known(stack)


def test_nobody_shuts_themselves_out(stack: Stack, name: str):
    mine = stack.acting(Person(name, Role.ADMIN))
    people.put(mine, name, Role.ADMIN)
    for attempt in (lambda: people.put(mine, name.upper(), Role.MANAGER), lambda: people.forget(mine, name)):
        with pytest.raises(NotPossible, match="shut yourself out"):
            attempt()
    with pytest.raises(NotPossible, match="shut yourself out"):
        people.put(mine, name, None)
    assert people.known(stack)[name].role is Role.ADMIN


@pytest.mark.parametrize(
    "wrong", ["", "ann", "a@b|c@d", "a b@c", "id.example|42", "https://id.example|", "a@" + "b" * 900, "a\u2060@b.org"]
)
def test_a_name_that_no_sign_in_can_have_is_refused(stack: Stack, wrong: str):
    with pytest.raises(NotPossible, match="neither an e-mail address"):
        people.put(stack, wrong, Role.VIEWER)


def test_no_store_at_all_is_refused_and_what_a_hand_wrote_otherwise_gives_nothing(stack: Stack, name: str):
    with pytest.raises(NotPossible, match="which stores"):
        people.put(stack, name, Role.MANAGER, [])
    for odd in (
        {"Role": {"S": "root"}},
        {"Role": {"L": []}},
        {"Role": {"S": "admin"}, "Stores": {"SS": ["Berlin"]}},
        {},
    ):
        item = {"Kind": {"S": people.KIND}, "Id": {"S": name}, **odd}
        stack.dynamodb.put_item(TableName=stack.settings.settings_table, Item=item)
        assert people.of_claims(stack, MAIL | {"email": name, "groups": ["stocktrail-admin"]}).role is None
    people.forget(stack, name)


# --- users on the command line -------------------------------------------------------------------------------------


def test_a_user_is_made_listed_and_removed(stack: Stack, name: str):
    done = run("users", "add", name.upper(), "--role", "manager", "--store", "Berlin", "--store", "Bonn")
    assert f"{name}  manager of Berlin, Bonn  by {MACHINE.name}" in done.stdout
    [password] = [line.partition(": ")[2] for line in done.stdout.splitlines() if line.startswith("Password: ")]
    [user] = [one for one in asked("users", "list") if one["email"] == name]
    assert (user["status"], user["access"]["stores"]) == ("FORCE_CHANGE_PASSWORD", ["Berlin", "Bonn"])
    assert password not in run("users", "list").stdout
    assert "already" in run("users", "add", name, "--role", "admin").stderr
    assert people.known(stack)[name].role is Role.MANAGER
    assert run("users", "remove", name).returncode == 0
    assert people.known(stack)[name].role is None  # whoever is signed in has no access from now on
    with pytest.raises(NotFound, match=name):
        users.remove(stack, name)


def test_a_simple_password_makes_no_user_and_a_good_one_stays(stack: Stack, name: str):
    weak = run("users", "add", name, "--role", "admin", "--password", "secret")
    assert (weak.returncode, "won't do" in weak.stderr) == (1, True)
    assert name not in people.known(stack)
    [made] = [one for one in asked("users", "list") if one["email"] == name] or [None]
    assert made is None
    [entry] = [asked_one("users", "add", name, "--role", "admin", "--password", "Good-enough-77")]
    assert (entry["role"], entry["password"]) == ("admin", None)
    [user] = [one for one in asked("users", "list") if one["email"] == name]
    assert user["status"] == "CONFIRMED"
    run("users", "remove", name)


def asked_one(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_access_is_set_listed_and_forgotten(stack: Stack, name: str):
    assert "Say which stores" in run("access", "set", name, "--role", "viewer").stderr
    assert "leave --store out" in run("access", "set", name, "--role", "admin", "--store", "Berlin").stderr
    assert asked_one("access", "set", name, "--role", "viewer", "--all-stores")["stores"] is None
    assert f"{name}  viewer of all stores" in run("access", "list").stdout
    assert asked_one("access", "set", name, "--role", "none")["role"] == "none"
    assert run("access", "forget", name).returncode == 0
    assert name not in {one["name"] for one in asked("access", "list")}
    assert stack.person.may(Right.ADMINISTER)


# --- the engine's sign-in pages ------------------------------------------------------------------------------------

GOES = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"}
Answer = tuple[int, dict[str, str], str]


def browse(stack: Stack, method: str, path: str, headers: dict[str, str], body: str = "") -> Answer:
    """A request as a browser sends it: without the secret. OWN stands for the engine's own origin."""
    assert stack.endpoint
    host = stack.endpoint.removeprefix("http://")
    sent = {name: value.replace("OWN", stack.endpoint) for name, value in headers.items()}
    sent |= {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    with closing(HTTPConnection(host, timeout=10)) as connection:
        connection.request(method, path, body or None, headers=sent)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()


def authorize(stack: Stack) -> str:
    back = f"{signing.AT_FIRST}/oauth2callback".replace(":", "%3A").replace("/", "%2F")
    return (
        f"/oauth2/authorize?response_type=code&client_id={stack.settings.user_pool_client}&redirect_uri={back}"
        "&scope=openid+email&state=s&nonce=n"
    )


def test_a_browsers_window_gets_the_sign_in_page_and_may_send_its_form(stack: Stack):
    status, headers, page = browse(stack, "GET", authorize(stack), GOES)
    assert (status, 'action="/login"' in page) == (200, True)
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert not [name for name in headers if name.startswith("access-control-")]
    form = f"client_id={stack.settings.user_pool_client}&username=nobody&password=x"
    status, _, page = browse(stack, "POST", "/login", GOES | {"Origin": "OWN"}, form)
    assert (status, "Incorrect username or password" in page) == (200, True)
    leave = f"/logout?client_id={stack.settings.user_pool_client}&logout_uri="
    status, headers, _ = browse(stack, "GET", leave + signing.AT_FIRST, GOES)
    assert (status, headers["location"]) == (302, signing.AT_FIRST)
    assert browse(stack, "GET", leave + "https://evil.example", GOES)[0] == 400


ELSEWHERE = [
    ("POST", "/oauth2/authorize"), ("POST", "/logout"), ("GET", "/login"), ("PUT", "/login"), ("HEAD", "/logout"),
    ("GET", "/"), ("POST", "/"), ("GET", "/oauth2/token"), ("POST", "/oauth2/token"), ("GET", "/oauth2/userInfo"),
    ("POST", "/oauth2/userInfo"), ("GET", "/oauth2/userinfo"), ("POST", "/oauth2/login"),
    ("GET", "/oauth2/idpresponse"),
    ("POST", "/oauth2/idpresponse"), ("POST", "/saml2/idpresponse"), ("GET", "/oauth2/authorize/"),
    ("GET", "//oauth2/authorize"), ("GET", "/Logout"), ("POST", "/login/"), ("POST", "/login/../"),
    ("GET", "/POOL/.well-known/jwks.json"), ("GET", "/POOL/.well-known/openid-configuration"),
    ("POST", "/_ministack/reset"), ("GET", "/_ministack/health"), ("GET", "/engine-artifacts"),
    ("POST", "/_engine/checkpoint"), ("GET", "/2015-03-31/functions"), ("GET", "/favicon.ico"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ELSEWHERE, ids=str)
def test_a_browser_gets_nothing_else(stack: Stack, method: str, path: str):
    at = path.replace("POOL", stack.settings.user_pool)
    for origin in ({}, {"Origin": "OWN"}):
        status, _, page = browse(stack, method, at, GOES | origin)
        assert (status, page.strip() or "HEAD") in [
            (403, "The engine does not answer web pages."), (403, "HEAD"),
        ]  # fmt: skip


PAGE = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Origin": "http://evil.example"}, GOES | {"Origin": "http://evil.example"}, GOES | {"Origin": "null"},
        GOES | {"Origin": "http://localhost:8501"}, PAGE | {"Origin": "OWN"}, PAGE,
        {**GOES, "Sec-Fetch-Dest": "iframe"}, {**GOES, "Sec-Fetch-Dest": "iframe", "Origin": "OWN"},
        {**GOES, "Sec-Fetch-Mode": "no-cors", "Origin": "OWN"}, {"Sec-Fetch-Mode": "navigate"},
        GOES | {"Host": "evil.example"}, GOES | {"Host": "evil.example", "Origin": "http://evil.example"},
        GOES | {"Host": "evil.example", "Origin": "OWN"}, {"X-Amz-Security-Token": "wrong"},
    ],
)  # fmt: skip
def test_no_other_web_page_reaches_them(stack: Stack, headers: dict[str, str]):
    requests = [("POST", "/login", "username=a")]
    if "Origin" in headers or headers.get("Sec-Fetch-Dest") != "document" or "Host" in headers:
        requests += [("GET", authorize(stack), ""), ("GET", "/logout?client_id=x&logout_uri=y", "")]
    for method, path, body in requests:
        assert browse(stack, method, path, headers, body)[0] == 403, (method, headers)
    assert browse(stack, "POST", "/login", GOES, "username=a")[0] == 403  # a form that came from nowhere
    assert browse(stack, "POST", "/login", GOES | {"Origin": "OWN"}, "a=" + "b" * 70_000)[0] == 403


def test_what_amazons_clients_send_does_not_pass_with_a_page():
    """Else a form could name an operation of any service, or another account; nor does a cookie of the dashboard's."""
    passed: list[list[tuple[bytes, bytes]]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope["headers"])

    host = (b"host", b"127.0.0.1:9")
    browsers = [host, (b"origin", b"http://127.0.0.1:9"), (b"content-length", b"3")]
    browsers += [(name.lower().encode(), value.encode()) for name, value in GOES.items()]
    others = [
        (b"x-amz-target", b"DynamoDB_20120810.ListTables"), (b"x-amz-security-token", b"x"), (b"cookie", b"a=b"),
        (b"authorization", b"AWS4-HMAC-SHA256 Credential=200000000000/x"), (b"x-forwarded-proto", b"https"),
    ]  # fmt: skip
    scope = {"type": "http", "method": "POST", "path": "/login", "query_string": b"", "headers": browsers + others}
    asyncio.run(Gate(app, "the secret", 9)(scope, None, None))  # type: ignore[arg-type]
    assert passed == [[host, (b"content-length", b"3")]]
