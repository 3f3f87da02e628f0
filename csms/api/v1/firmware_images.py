"""Firmware images natively: upload, list, describe, delete."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from csms.api import cursors, times, uploads
from csms.api.errors import UnsupportedMediaType
from csms.api.models import Page, Query, Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.file_transfers import FirmwareImage, StoredFile, safe_name
from csms.domain.permissions import Principal
from csms.errors import Conflict, Forbidden, Invalid
from csms.store import firmware_images as store
from csms.store.database import Tx

_Word = Annotated[str, StringConstraints(min_length=1, max_length=50)]
_Note = Annotated[str, StringConstraints(max_length=1000)]
_TYPES = frozenset({"application/octet-stream", uploads.FORM})


class FirmwareImageShape(Shape):
    """Firmware that stations can be told to install."""

    id: str
    name: str = Field(description="The last part of the URL that stations get.")
    version: str | None
    vendor: str | None
    model: str | None
    note: str | None
    size_bytes: int
    sha256: str
    signed: bool = Field(description="Whether stations can check where it comes from.")
    created_at: Instant
    created_by: str = Field(description="The id of the API token.")

    @classmethod
    def of(cls, image: FirmwareImage) -> FirmwareImageShape:
        """The image as it is shown."""
        return cls(
            id=image.file.uuid,
            name=image.name,
            version=image.version,
            vendor=image.vendor,
            model=image.model,
            note=image.note,
            size_bytes=image.file.size_bytes,
            sha256=image.file.sha256,
            signed=image.signed,
            created_at=times.micros(image.created_at),
            created_by=image.created_by,
        )


class FirmwareImagePage(Shape):
    """Newest first."""

    items: list[FirmwareImageShape]
    next_cursor: str | None


class NewFirmwareImage(Query):
    """What is said of an upload."""

    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="Of the file; left out, as the form says, or `firmware.bin`.",
    )
    version: _Word | None = None
    vendor: _Word | None = None
    model: _Word | None = None
    note: _Note | None = None
    sha256: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="What the file must have; with another one nothing is kept.",
    )


class FirmwareImageChanges(Strict):
    """What is left out stays as it is; null takes it away."""

    version: _Word | None = None
    vendor: _Word | None = None
    model: _Word | None = None
    note: _Note | None = None
    signing_certificate: Annotated[str, StringConstraints(min_length=1, max_length=5500)] | None = (
        Field(default=None, description="PEM; together with the signature.")
    )
    signature: Annotated[str, StringConstraints(min_length=1, max_length=800)] | None = Field(
        default=None, description="Base64; stations that can, check it before they install."
    )


async def create(call: Call[None, NewFirmwareImage]) -> Reply:
    """The file is the body, or the file of a form."""
    _check_unbound(call.principal)
    request, files, query = call.request, call.deps.files, call.query
    if "Content-Type" in request.headers and request.content_type not in _TYPES:
        raise UnsupportedMediaType(
            f"Content-Type {request.content_type} is not supported; send application/octet-stream"
        )
    async with files.store.receive(
        limit_bytes=files.settings.firmware_limit_bytes,
        announced_bytes=request.content_length or 0,
    ) as incoming:
        described = await uploads.receive(request, incoming)

        def insert(tx: Tx, file: StoredFile) -> FirmwareImage:
            if query.sha256 not in {None, file.sha256}:
                raise Invalid(
                    f"the file has {file.sha256}",
                    loc=("sha256",),
                    where="query",
                    code="checksum_mismatch",
                )
            return store.insert(
                tx,
                file,
                name=safe_name(query.name or described.name, "firmware.bin"),
                created_by=call.principal.id,
                **query.model_dump(include={"version", "vendor", "model", "note"}),
            )

        made = await files.add_image(incoming, insert)
    place = f"/api/v1/firmware-images/{made.file.uuid}"
    return Reply(FirmwareImageShape.of(made), status=201, headers={"Location": place})


async def list_images(call: Call[None, Page]) -> Reply:
    """All of them."""
    _check_unbound(call.principal)
    limit, before_id = call.query.limit, cursors.read(call.query.cursor)
    found = await call.deps.db.read(
        lambda tx: store.list_page(tx, limit=limit + 1, before_id=before_id)
    )
    shown = found[:limit]
    more = cursors.write(shown[-1].id) if len(found) > limit else None
    return Reply(cursor_page([FirmwareImageShape.of(one) for one in shown], more))


async def show(call: Call[None, None]) -> Reply:
    """One of them."""
    _check_unbound(call.principal)
    found = await call.deps.db.read(lambda tx: store.get_by_uuid(tx, call.path["image_id"]))
    return Reply(FirmwareImageShape.of(found))


async def change(call: Call[FirmwareImageChanges, None]) -> Reply:
    """What is said of it; its content never changes."""
    _check_unbound(call.principal)
    changes = call.body.model_dump(exclude_unset=True)

    def write(tx: Tx) -> FirmwareImage:
        changed = store.update(tx, store.get_by_uuid(tx, call.path["image_id"]).id, **changes)
        if (changed.signature is None) != (changed.signing_certificate is None):
            raise Invalid("a certificate and a signature go together", loc=("signing_certificate",))
        return changed

    return Reply(FirmwareImageShape.of(await call.deps.db.write(write)))


async def delete(call: Call[None, None]) -> Reply:
    """409 while a station may still fetch it."""
    _check_unbound(call.principal)

    def forget(tx: Tx) -> FirmwareImage:
        found = store.get_by_uuid(tx, call.path["image_id"])
        if store.is_wanted(tx, found.id):
            raise Conflict("Stations may still fetch this image", code="image_in_use")
        store.delete(tx, found.id)
        return found

    await call.deps.files.delete_image(forget)
    return Reply(None, status=204)


def _check_unbound(principal: Principal) -> None:
    if principal.location_ids is not None:
        raise Forbidden("A token bound to locations does not manage firmware images")
