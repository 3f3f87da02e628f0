"""What a station wants signed and what it has, natively."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csms.domain.certificates import HashData
from csms.domain.stations import NewStation
from csms.services import certificates, stations
from csms.services.certificates import Asked
from csms.store.installed_certificates import Installed
from tests.certificates import csr

if TYPE_CHECKING:
    from tests.api.conftest import Api


async def make_station(api: Api) -> Any:
    return await api.deps.db.write(lambda tx: stations.create(tx, NewStation("GARAGE-1")))


async def shown(api: Api, station: Any) -> Any:
    response = await api.get(f"/api/v1/stations/{station.uuid}/certificates", role="viewer")
    assert response.status == 200
    return await response.json()


async def test_a_station_that_never_asked_has_none(api: Api) -> None:
    assert await shown(api, await make_station(api)) == {"requests": [], "installed": []}


async def test_a_person_finds_the_csr_that_waits(api: Api) -> None:
    station = await make_station(api)
    for text in ("nonsense", csr()):
        asked = Asked(text, "ChargingStationCertificate")
        await api.deps.db.write(
            lambda tx, asked=asked: certificates.request(tx, station.id, asked, signs=True)
        )
    waiting, refused = (await shown(api, station))["requests"]
    assert (waiting["state"], waiting["csr"], waiting["key"]) == ("pending", csr(), "EC 256")
    assert (refused["state"], refused["csr"]) == ("refused", "nonsense")
    assert refused["reason"] == "the CSR cannot be read"


async def test_what_is_installed_is_shown_by_its_hash_data(api: Api) -> None:
    station = await make_station(api)
    root = Installed("CSMSRootCertificate", HashData("SHA256", "aa", "bb", "1"))
    await api.deps.db.write(lambda tx: certificates.reported(tx, station.id, [], [root]))
    (installed,) = (await shown(api, station))["installed"]
    assert installed.pop("reported_at") is not None
    assert installed == {
        "certificate_type": "CSMSRootCertificate",
        "hash_algorithm": "SHA256",
        "issuer_name_hash": "aa",
        "issuer_key_hash": "bb",
        "serial_number": "1",
        "parent_serial_number": None,
    }


async def test_the_station_of_somebody_else_is_not_found(api: Api) -> None:
    response = await api.get("/api/v1/stations/identity:NOBODY/certificates", role="viewer")
    assert response.status == 404
