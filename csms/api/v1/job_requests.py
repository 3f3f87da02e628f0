"""What a new job may be: one model per kind, and who it goes to."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from csms.api.models import Strict, never_null
from csms.api.urls import websocket_url
from csms.api.v1.commands import OrderBody
from csms.api.v1.file_orders import FirmwareUpdateSpec, LogUploadSpec
from csms.api.v1.id_tokens import NewIdToken
from csms.api.v1.job_options import JobOptions
from csms.api.v1.station_filter import Narrowing, Tags, Text
from csms.domain.charging_profiles import MAX_INTEGER
from csms.domain.permissions import Scope
from csms.domain.stations import Registration
from csms.domain.versions import OcppVersion

Name = Annotated[str, Field(min_length=1, max_length=100)]


class StationsMatching(Strict, Narrowing):
    """As `GET /stations` narrows; without any field: all that the token reaches."""

    location_id: str | None = None


class JobTarget(Strict):
    """Who the job goes to, found when it is accepted and fixed from then on: one of the three."""

    station_ids: list[Name] | None = Field(
        default=None,
        min_length=1,
        description="Ids, or `identity:<identity>`; each station counts once.",
    )
    location_id: str | None = None
    filter: StationsMatching | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if [self.station_ids, self.location_id, self.filter].count(None) != 2:
            raise ValueError("give one of station_ids, location_id and filter")
        return self


class NewJob(Strict):
    """What every job has."""

    options: JobOptions | None = Field(default=None, description="How it runs.")


class TargetedJob(NewJob):
    """A job over stations that exist."""

    target: JobTarget


class CommandSpec(OrderBody):
    """What each station is told."""

    ocpp_version: OcppVersion | None = Field(
        default=None,
        description="With `action`: whose action it is. Stations of other versions get what means"
        " the same there, or an error.",
    )

    @model_validator(mode="after")
    def _action_has_a_version(self) -> Self:
        if (self.action is None) != (self.ocpp_version is None):
            raise ValueError("ocpp_version belongs to action, and an action needs one")
        return self


class CommandJob(TargetedJob):
    """Send a command to each station."""

    kind: Literal["command"]
    spec: CommandSpec


class ChargingProfileTemplateSpec(Strict):
    """Which template, and where."""

    charging_profile_template_id: Name
    evse_id: int | None = Field(
        default=None, ge=1, le=MAX_INTEGER, description="Left out: the station or all its EVSEs."
    )


class ChargingProfileTemplateJob(TargetedJob):
    """Set the profile of a template at each station."""

    kind: Literal["charging_profile_template"]
    spec: ChargingProfileTemplateSpec


class ConfigTemplateSpec(Strict):
    """Which template."""

    config_template_id: Name


class ConfigTemplateJob(TargetedJob):
    """Read what each station holds, and write what a config template has otherwise."""

    kind: Literal["config_template"]
    spec: ConfigTemplateSpec


class PasswordRotationJob(TargetedJob):
    """Tell each station a new password of its own, shown to nobody."""

    kind: Literal["password_rotation"]


class StationUpdateSpec(Strict):
    """What is left out stays as it is."""

    location_id: str | None = Field(default=None, description="Null: at none.")
    registration: Registration | None = None
    strict: bool | None = Field(default=None, description="Null: as the setting says.")
    security_profile: int | None = Field(
        default=None, ge=0, le=3, description="A job does not lower one."
    )
    blocked: bool | None = Field(default=None, description="Kept out, or let in again.")
    tags: Tags | None = Field(default=None, description="All that each has from then on.")

    _is_always_known = field_validator("registration", "security_profile", "blocked", "tags")(
        never_null
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give at least one change")
        return self


class StationUpdateJob(TargetedJob):
    """Change what is known of each station."""

    kind: Literal["station_update"]
    spec: StationUpdateSpec


class StationDeleteSpec(Strict):
    """How to delete."""

    force: bool = Field(
        default=False, description="Also with an open transaction, which is then closed."
    )


class StationDeleteJob(TargetedJob):
    """Delete each station; its history stays."""

    kind: Literal["station_delete"]
    spec: StationDeleteSpec = Field(default_factory=StationDeleteSpec)


class StationGroup(Strict):
    """Stations that have all but the end of their identity in common."""

    identity_prefix: Annotated[str, Field(max_length=48)] = ""
    suffixes: list[Annotated[str, Field(max_length=48)]] | None = Field(
        default=None, description="The ends of their identities; cut to `number` when given."
    )
    number: int | None = Field(
        default=None, ge=0, description="How many; those without a suffix get a random one."
    )
    name: Text | None = Field(default=None, description="A suffix is appended.")
    brand_slug: Text | None = None
    model_slug: Text | None = None
    connector_type: Text | None = None
    connectors: int | None = Field(
        default=None, ge=1, le=64, description="Left out: as the model has, or 1."
    )
    ocpp_version: OcppVersion | None = Field(
        default=None, description="Pins it; a virtual one speaks 1.6 by default."
    )
    security_profile: int = Field(default=0, ge=0, le=3)
    virtual: bool | None = Field(default=None, description="Left out: as the server is set.")
    ws_url: Annotated[str, Field(max_length=2048), AfterValidator(websocket_url)] | None = Field(
        default=None, description="What a virtual one dials; left out: this server."
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.suffixes is None and self.number is None:
            raise ValueError("give suffixes, number, or both")
        return self


class StationCreateSpec(Strict):
    """Which stations, and where."""

    location_id: str | None = Field(
        default=None, description="Required for a token bound to locations."
    )
    groups: list[StationGroup] = Field(min_length=1)


class StationCreateJob(NewJob):
    """Register stations, or start virtual ones."""

    kind: Literal["station_create"]
    spec: StationCreateSpec


class IdTokenImportSpec(Strict):
    """All that is decided about each token."""

    id_tokens: list[NewIdToken] = Field(min_length=1)
    overwrite: bool = Field(
        default=False, description="Decide anew about those that were decided about before."
    )


class IdTokenImportJob(NewJob):
    """Decide about many id tokens, with a result for each: its item's key is the row's number."""

    kind: Literal["id_token_import"]
    spec: IdTokenImportSpec


class FirmwareUpdateJob(TargetedJob):
    """Have each station install a firmware image, over a link of its own."""

    kind: Literal["firmware_update"]
    spec: FirmwareUpdateSpec


class LogUploadJob(TargetedJob):
    """Have each station send a log, over a link of its own."""

    kind: Literal["log_upload"]
    spec: LogUploadSpec = Field(default_factory=LogUploadSpec)


AnyJob = Annotated[
    ChargingProfileTemplateJob
    | CommandJob
    | ConfigTemplateJob
    | FirmwareUpdateJob
    | IdTokenImportJob
    | LogUploadJob
    | PasswordRotationJob
    | StationCreateJob
    | StationDeleteJob
    | StationUpdateJob,
    Field(discriminator="kind"),
]

SCOPES: dict[str, Scope] = {
    "charging_profile_template": Scope.COMMANDS_SEND,
    "command": Scope.COMMANDS_SEND,
    "config_template": Scope.COMMANDS_SEND,
    "firmware_update": Scope.COMMANDS_SEND,
    "id_token_import": Scope.ID_TOKENS_WRITE,
    "log_upload": Scope.COMMANDS_SEND,
    "password_rotation": Scope.STATIONS_WRITE,
    "station_create": Scope.STATIONS_WRITE,
    "station_delete": Scope.STATIONS_WRITE,
    "station_update": Scope.STATIONS_WRITE,
}
"""What a token needs besides the right to submit jobs."""
