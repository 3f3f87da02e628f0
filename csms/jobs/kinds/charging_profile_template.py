"""Kind `charging_profile_template`: a profile that was thought out once is set at many stations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from csms.domain.charging_profiles import ChargingProfilePurpose
from csms.domain.jobs import NewItem, Policy, Submission
from csms.domain.permissions import Principal
from csms.domain.templates import Template
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.jobs.kinds import command
from csms.jobs.kinds.command import CommandRunner, Wanted
from csms.ocpp import commands
from csms.ocpp.frames import JsonObject

KIND = "charging_profile_template"
_COMMAND = "set_charging_profile"


class ChargingProfileTemplateRunner(CommandRunner):
    """Runs the items: commands like any others."""

    name: str = KIND


def check(profile: JsonObject) -> None:
    """Raise Invalid, with the path into `charging_profile`, for what no template may hold."""
    if profile.get("purpose") == ChargingProfilePurpose.TX.value:
        told = "a TxProfile belongs to one transaction"
        raise Invalid(told, loc=("charging_profile", "purpose"))
    reason = ""
    for version in OcppVersion:
        try:
            commands.typed(version, _COMMAND, {"charging_profile": profile})
        except NotSupportedByVersion as error:
            reason = error.message
        else:
            return
    raise Invalid(reason, loc=("charging_profile",))


def submission(
    *,
    principal: Principal,
    targets: Iterable[NewItem],
    template: Template,
    evse_id: int | None,
    policy: Policy,
) -> Submission:
    """A job that sets the profile as it is now, for the station or one EVSE; raises Invalid."""
    params: JsonObject = {"charging_profile": template.content}
    if evse_id is not None:
        params["evse_id"] = evse_id
    made = command.submission(
        principal=principal,
        wanted=Wanted(command=_COMMAND, params=params),
        targets=targets,
        dialect="native",
        policy=policy,
    )
    about = {"charging_profile_template_id": template.uuid, "name": template.name}
    return replace(made, kind=KIND, params={**made.params, **about})
