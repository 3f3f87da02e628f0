"""Health, readiness and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import csms

if TYPE_CHECKING:
    from tests.api.conftest import Api


async def test_health_is_public(api: Api) -> None:
    response = await api.get("/healthz", role=None)
    assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_ready_lists_its_checks(api: Api) -> None:
    response = await api.get("/readyz", role=None)
    assert response.status == 200
    assert (await response.json())["checks"] == {
        "recovery": "ok",
        "draining": "ok",
        "event_loop": "ok",
        "database": "ok",
    }


async def test_not_ready_before_recovery_is_done(api: Api) -> None:
    api.deps.ready = False
    response = await api.get("/readyz", role=None)
    assert response.status == 503
    assert (await response.json())["checks"]["recovery"] == "running"


async def test_metrics_are_open_to_direct_loopback(api: Api) -> None:
    response = await api.get("/metrics", role=None)
    text = await response.text()
    assert response.status == 200
    assert "event_loop_lag_seconds_bucket" in text
    assert "db_commits_total" in text
    assert 'ocpp_call_seconds_bucket{direction="out",le="+Inf"} 0.0' in text


async def test_metrics_through_a_proxy_need_a_token(api: Api) -> None:
    for header in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Client-Cert", "Via"):
        response = await api.get("/metrics", role=None, headers={header: "1.2.3.4"})
        assert response.status == 401, header
    response = await api.get("/metrics", role="viewer", headers={"Via": "1.1 proxy"})
    assert response.status == 200


async def test_which_release_this_is(api: Api) -> None:
    answer = await api.get("/version", role=None)
    assert (200, {"version": csms.__version__}) == (answer.status, await answer.json())
