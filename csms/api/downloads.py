"""Files made while they are sent, page by page: what is read is never held as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web


async def send(
    request: web.Request, name: str, media_type: str, pages: AsyncIterator[str]
) -> web.StreamResponse:
    """Answer `request` with a file; a first page that fails is an error, not half a file."""
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{media_type}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        }
    )
    first = await anext(pages, "")
    await response.prepare(request)
    await response.write(first.encode())
    async for page in pages:
        await response.write(page.encode())
    await response.write_eof()
    return response
