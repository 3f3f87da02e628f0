"""Virtual stations that are rows in the store, run in this process."""

from __future__ import annotations

from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.fleet.catalog import Catalog
from csms.fleet.manager import Fleet
from csms.fleet.spec import StationSpec
from csms.services import credentials
from csms.services.credentials import Passwords
from csms.store import stations
from csms.store.database import Database, ReadTx


class Deployment:
    """Starts the fleet's stations from their rows and says how that went."""

    def __init__(
        self,
        *,
        db: Database,
        fleet: Fleet,
        catalog: Catalog,
        passwords: Passwords,
        verify_timeout_s: float,
    ) -> None:
        self._db = db
        self._fleet = fleet
        self._catalog = catalog
        self._passwords = passwords
        self._verify_timeout_s = verify_timeout_s

    async def deploy(self, station: Station) -> None:
        """Start the virtual station; the one that runs already stays as it is."""
        self._fleet.start(await self._db.read(lambda tx: self._spec(tx, station)))

    async def verify(self, station: Station) -> str | None:
        """Wait until its boot was accepted; the reason why it was not, or None."""
        if await self._fleet.wait_booted(station.identity, self._verify_timeout_s):
            return None
        running = self._fleet.find(station.identity)
        cause = None if running is None else running.last_error
        return f"no accepted boot at {station.ws_url}" + ("" if cause is None else f": {cause}")

    async def restore(self) -> int:
        """Run every virtual station of the store again, not all at once."""
        specs = await self._db.read(
            lambda tx: [self._spec(tx, station) for station in stations.list_virtual(tx)]
        )
        self._fleet.restore(specs)
        return len(specs)

    async def redeploy(self, station_id: int) -> None:
        """Start a virtual station afresh, with the password that is now right."""
        station = await self._db.read(lambda tx: stations.find(tx, station_id))
        if station is not None and self._fleet.find(station.identity) is not None:
            await self._fleet.stop(station.identity)
            await self.deploy(station)

    async def withdraw(self, identity: str) -> None:
        """Stop the virtual station of a row that is gone."""
        await self._fleet.stop(identity)

    def _spec(self, tx: ReadTx, station: Station) -> StationSpec:
        rotation = credentials.derived_rotation(tx, station.id)
        return self._catalog.spec(
            identity=station.identity,
            url=station.ws_url or "",
            brand_slug=station.brand_slug or "generic",
            model_slug=station.model_slug or "ac-22kw",
            connector_type=station.connector_type,
            connectors=station.connectors,
            version=station.ocpp_version or OcppVersion.V16,
            password=self._passwords.derived(station.id, rotation).encode(),
            seed=station.id,
        )
