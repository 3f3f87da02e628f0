"""Being signed in to the page: the cookie, what must come with it, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from csms.api.application import RECORDER
from csms.api.auth import Authenticator
from csms.domain.addresses import Proxies
from csms.domain.permissions import Role, Scope
from csms.domain.sessions import MOST_OF_TOKEN
from csms.services import tokens
from tests.api.sse import listening
from tests.api.v1.scene import items, stranger

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from csms.clock import ManualClock
    from tests.api.conftest import Api

PATH = "/api/v1/sessions"
SIGN_IN = "/api/v1/auth/sign-in"
STATIONS = "/api/v1/stations"
LOCATIONS = "/api/v1/locations"
HOUR_S = 3600


class Browser:
    """Sends what it was given along, and says which page asks."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.cookie = ""
        self.csrf = ""

    async def sign_in(self, role: str = "admin", **headers: str) -> ClientResponse:
        if self.cookie:
            headers["Cookie"] = self.cookie
        body = {"token": self.api.bearers[role]}
        self.api.client.session.cookie_jar.clear()
        response = await self.api.post(SIGN_IN, role=None, json=body, headers=headers)
        if response.status == 201:
            self.csrf = (await response.json())["session"]["csrf_token"]
            self.cookie = response.headers["Set-Cookie"].partition(";")[0]
        self.api.client.session.cookie_jar.clear()
        return response

    async def ask(self, method: str, path: str, **more: Any) -> ClientResponse:
        host = f"{self.api.client.host}:{self.api.client.port}"
        headers = {"Cookie": self.cookie, "Origin": f"http://{host}", "X-CSRF-Token": self.csrf}
        headers |= more.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        return await self.api.request(method, path, role=None, headers=headers, **more)

    async def write(self, **headers: Any) -> tuple[int, str | None]:
        response = await self.ask("POST", LOCATIONS, json={"name": "A"}, headers=headers)
        return response.status, (await response.json()).get("code")

    @property
    async def id(self) -> str:
        shown = await (await self.ask("GET", "/api/v1/auth/me")).json()
        return str(shown["session"]["id"])


@pytest.fixture
async def browser(api: Api) -> Browser:
    made = Browser(api)
    assert (await made.sign_in()).status == 201
    return made


async def test_the_cookie_is_for_the_browser_alone(api: Api) -> None:
    browser = Browser(api)
    cookie = (await browser.sign_in()).headers["Set-Cookie"]
    name, *attributes = cookie.split("; ")
    assert name.partition("=")[0] == f"csms-{api.client.port}"
    assert attributes == ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=604800"]


async def test_over_tls_no_neighbour_can_set_or_read_it(api: Api) -> None:
    api.deps.settings = replace(api.deps.settings, proxies=Proxies.read(["127.0.0.1"]))
    browser = Browser(api)
    https = {"X-Forwarded-Proto": "https"}
    cookie = (await browser.sign_in(**https)).headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-csms-{api.client.port}=")
    assert cookie.endswith("; Secure")
    assert "Domain" not in cookie
    assert (await browser.ask("GET", STATIONS, headers=https)).status == 200
    assert (await browser.ask("GET", STATIONS)).status == 401


async def test_only_a_proxy_of_ours_says_that_it_was_tls(api: Api) -> None:
    cookie = (await Browser(api).sign_in(**{"X-Forwarded-Proto": "https"})).headers["Set-Cookie"]
    assert cookie.startswith("csms-")
    assert "Secure" not in cookie


async def test_the_cookie_is_worth_what_its_token_is(api: Api) -> None:
    browser = Browser(api)
    await browser.sign_in("viewer")
    assert (await browser.ask("GET", STATIONS)).status == 200
    assert await browser.write() == (403, "forbidden")
    await browser.sign_in("operator")
    assert (await browser.write())[0] == 201


OTHER = "http://evil.example"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, None),
        ({"Sec-Fetch-Site": "same-origin"}, None),
        ({"Sec-Fetch-Site": "same-origin", "Origin": None}, None),
        # A proxy may ask us by another name than the browser asked it.
        ({"Sec-Fetch-Site": "same-origin", "Origin": OTHER}, None),
        ({"Sec-Fetch-Site": "cross-site"}, "cross_site"),
        ({"Sec-Fetch-Site": "same-site"}, "cross_site"),
        ({"Sec-Fetch-Site": "none"}, "cross_site"),
        ({"Origin": OTHER}, "cross_site"),
        ({"Origin": "null"}, "cross_site"),
        ({"Origin": "http://127.0.0.1:1"}, "cross_site"),
        ({"Origin": None}, "cross_site"),
        ({"X-CSRF-Token": None}, "csrf_token_wrong"),
        ({"X-CSRF-Token": "0" * 64}, "csrf_token_wrong"),
        ({"X-CSRF-Token": "é"}, "csrf_token_wrong"),
    ],
)
async def test_a_write_comes_from_a_page_of_ours(
    browser: Browser, headers: dict[str, str | None], code: str | None
) -> None:
    assert await browser.write(**headers) == (403 if code else 201, code)
    assert len(await items(browser.api, LOCATIONS)) == (0 if code else 1)


async def test_a_refused_write_is_in_the_audit(browser: Browser) -> None:
    await browser.write(Origin=OTHER)
    await browser.api.client.app[RECORDER].flush()
    (refused,) = await items(browser.api, "/api/v1/audit?failed=true")
    assert (refused["status"], refused["code"]) == (403, "cross_site")


async def test_a_bearer_token_needs_none_of_it(browser: Browser) -> None:
    bearer = {"Authorization": f"Bearer {browser.api.bearers['admin']}"}
    assert (await browser.write(**bearer, Origin=OTHER, **{"X-CSRF-Token": None}))[0] == 201
    # And whoever shows one that is not good is not let in by the cookie.
    bearer = {"Authorization": "Bearer nobody"}
    assert (await browser.ask("GET", STATIONS, headers=bearer)).status == 401


async def test_reading_needs_the_cookie_alone(browser: Browser) -> None:
    nothing = {"Origin": None, "X-CSRF-Token": None}
    assert (await browser.ask("GET", STATIONS, headers=nothing)).status == 200
    assert (await browser.ask("GET", STATIONS, headers={"Cookie": None})).status == 401


@pytest.mark.parametrize("headers", [{"Origin": OTHER}, {"Sec-Fetch-Site": "cross-site"}])
async def test_nobody_is_signed_in_by_another_site(api: Api, headers: dict[str, str]) -> None:
    assert (await Browser(api).sign_in(**headers)).status == 403


async def test_signing_in_again_makes_another_cookie_and_ends_the_first(browser: Browser) -> None:
    first = browser.cookie
    await browser.sign_in("viewer")
    assert browser.cookie != first
    assert (await browser.ask("GET", STATIONS, headers={"Cookie": first})).status == 401
    assert (await browser.ask("GET", STATIONS)).status == 200
    assert len(await items(browser.api, PATH)) == 1


async def test_a_session_that_is_not_used_ends(browser: Browser, clock: ManualClock) -> None:
    for _ in range(3):
        clock.advance(11 * HOUR_S)
        assert (await browser.ask("GET", STATIONS)).status == 200
        await browser.api.deps.auth.flush()
    clock.advance(12 * HOUR_S)
    assert (await browser.ask("GET", STATIONS)).status == 401


async def test_a_session_ends_however_much_it_is_used(browser: Browser, clock: ManualClock) -> None:
    for _ in range(6 * 4 + 3):
        clock.advance(6 * HOUR_S)
        assert (await browser.ask("GET", STATIONS)).status == 200
    clock.advance(6 * HOUR_S)
    assert (await browser.ask("GET", STATIONS)).status == 401


async def test_sessions_that_are_over_are_forgotten(browser: Browser, clock: ManualClock) -> None:
    clock.advance(13 * HOUR_S)
    assert await items(browser.api, PATH) == []
    await browser.sign_in()
    await browser.ask("GET", STATIONS)
    await browser.api.deps.auth.flush()
    count = await browser.api.deps.db.read(lambda tx: tx.value("SELECT count(*) FROM sessions"))
    assert count == 1


async def test_it_outlives_a_restart(browser: Browser) -> None:
    deps = browser.api.deps
    deps.auth = Authenticator(db=deps.db, bus=deps.bus, clock=deps.clock)
    assert (await browser.ask("GET", STATIONS)).status == 200


async def test_it_ends_with_its_token(browser: Browser) -> None:
    await browser.sign_in("viewer")
    me = await (await browser.ask("GET", "/api/v1/auth/me")).json()
    assert (await browser.api.delete(f"/api/v1/tokens/{me['id']}")).status == 204
    assert (await browser.ask("GET", STATIONS)).status == 401
    assert await items(browser.api, PATH) == []


async def test_it_shows_who_is_signed_in(api: Api) -> None:
    browser = Browser(api)
    await browser.sign_in("viewer", **{"User-Agent": "Lynx\u202e/2"})
    me = await (await browser.ask("GET", "/api/v1/auth/me")).json()
    (shown,) = (await (await browser.ask("GET", PATH)).json())["items"]
    assert shown == {
        "id": me["session"]["id"],
        "token_id": me["id"],
        "token_name": "viewer",
        "current": True,
        "created_at": "2026-05-01T12:00:00.000000Z",
        "last_used_at": "2026-05-01T12:00:00.000000Z",
        "expires_at": "2026-05-08T12:00:00.000000Z",
        "address": "127.0.0.1",
        "user_agent": "Lynx/2",
    }
    (seen,) = await items(api, PATH)
    assert seen == {**shown, "current": False}


async def test_people_see_and_end_their_own_and_admins_everybodys(api: Api) -> None:
    admin, viewer = Browser(api), Browser(api)
    await admin.sign_in("admin")
    await viewer.sign_in("viewer")
    assert len(await items(api, PATH)) == 2
    assert len((await (await viewer.ask("GET", PATH)).json())["items"]) == 1
    path = f"{PATH}/{await admin.id}"
    assert (await viewer.ask("DELETE", path)).status == 404
    assert (await api.delete(path, role=await stranger(api, Role.ADMIN))).status == 404
    assert (await api.delete(f"{PATH}/{await viewer.id}")).status == 204
    assert (await viewer.ask("GET", PATH)).status == 401
    assert (await admin.ask("GET", PATH)).status == 200


async def test_who_signs_out_loses_the_cookie(browser: Browser) -> None:
    path = f"{PATH}/{await browser.id}"
    response = await browser.ask("DELETE", path)
    assert response.status == 204
    assert "=; " in response.headers["Set-Cookie"]
    assert "Max-Age=0" in response.headers["Set-Cookie"]
    assert (await browser.ask("GET", STATIONS)).status == 401
    assert (await browser.api.delete(path)).status == 404


async def test_the_list_has_pages(api: Api) -> None:
    for _ in range(3):
        await Browser(api).sign_in()
    page = await (await api.get(f"{PATH}?limit=2")).json()
    rest = await (await api.get(f"{PATH}?limit=2&cursor={page['next_cursor']}")).json()
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    assert (await api.get(f"{PATH}?limit=0")).status == 422


async def test_the_oldest_of_too_many_ends(api: Api) -> None:
    browsers = [Browser(api) for _ in range(MOST_OF_TOKEN + 1)]
    for browser in browsers:
        await browser.sign_in("viewer")
    found = [(await one.ask("GET", STATIONS)).status for one in browsers]
    assert found == [401] + [200] * MOST_OF_TOKEN


async def test_its_events_are_for_who_manages_tokens(browser: Browser) -> None:
    path, api = "/api/v1/events", browser.api
    async with listening(api, path) as all_of_them, listening(api, path, role="viewer") as few:
        await Browser(api).sign_in("viewer")
        await browser.write()
        assert (await all_of_them.next()).event == "session.started"
        assert (await few.next()).event == "location.created"


async def test_a_stream_ends_with_its_session(browser: Browser) -> None:
    async with browser.api.client.get(
        "/api/v1/events", headers={"Cookie": browser.cookie}
    ) as response:
        assert response.status == 200
        await browser.api.delete(f"{PATH}/{await browser.id}")
        text = await response.text()
    assert text.count("event: ") == 1
    assert "session.ended" in text


async def test_scopes_bind_a_session_too(api: Api) -> None:
    _, api.bearers["jobs"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="jobs", role=Role.VIEWER, scopes=frozenset({Scope.JOBS_READ})
        )
    )
    browser = Browser(api)
    await browser.sign_in("jobs")
    assert (await browser.ask("GET", "/api/v1/jobs")).status == 200
    assert (await browser.ask("GET", STATIONS)).status == 403
