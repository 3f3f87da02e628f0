"""By what stations are chosen: for a list, and as the target of a job."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from csms.domain.stations import ConnectorStatus
from csms.domain.versions import OcppVersion
from csms.store.stations import StationFilter

Text = Annotated[str, StringConstraints(max_length=255)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50)]
Tags = Annotated[
    list[Tag],
    Field(max_length=20, description="Words of your own to find it by."),
    AfterValidator(lambda tags: list(dict.fromkeys(tags))),
]


class Connection(str, Enum):
    """Whether a station has a socket."""

    ONLINE = "online"
    OFFLINE = "offline"


class Narrowing(BaseModel):
    """What is left out does not narrow."""

    status: ConnectorStatus | None = Field(default=None, description="Of one of its connectors.")
    connection: Connection | None = None
    virtual: bool | None = None
    vendor: Text | None = None
    model: Text | None = None
    firmware_version: Text | None = None
    ocpp_version: OcppVersion | None = Field(
        default=None, description="That it speaks, or is pinned to."
    )
    tag: Tag | None = Field(default=None, description="One of its tags, exactly so.")
    q: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="Text in its identity, name or serial number."
    )
    last_seen_before: AwareDatetime | None = Field(
        default=None, description="Offline and not heard of since, or never."
    )

    def narrowed(self, reach: frozenset[int] | None) -> StationFilter:
        """As the store looks for them."""
        return StationFilter(
            location_ids=reach,
            status=self.status and self.status.value,
            online=None if self.connection is None else self.connection is Connection.ONLINE,
            virtual=self.virtual,
            vendor=self.vendor,
            model=self.model,
            firmware_version=self.firmware_version,
            version=self.ocpp_version and self.ocpp_version.value,
            tag=self.tag,
            text=self.q,
            last_seen_before=self.last_seen_before,
        )
