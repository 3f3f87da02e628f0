"""The way from a command to a running server: plain HTTP by the standard library.

aiohttp would take longer to import than a whole `csms jobs list` takes; and http.client, unlike
urllib, never sends a request for loopback to a proxy.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from csms.cli.failures import BadUsage, CommandFailed, Refused, ServerUnreachable
from csms.domain.onboarding import DOCTOR

# Written by a server that is ready, with the token of its command line; gone after a clean stop.
ADDRESS_FILE = "cli.json"
TIMEOUT_S = 30.0
# Whoever is asked whether they live answers at once.
PROBE_S = 5.0
_PAGE = 500
_CHUNK = 64 * 1024
_URL = re.compile(r"[\x21-\x7e]+")
_TOKEN = re.compile(r"[\x21-\x7e]*")
_PASSWORD = re.compile(r"//.*@")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Client:
    """A server's address and a token for it."""

    url: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _is_url(self.url):
            shown = _PASSWORD.sub("//***@", self.url)
            raise BadUsage(f"{shown!r} is not the URL of a server, like http://127.0.0.1:9000")
        if not _TOKEN.fullmatch(self.token):
            raise BadUsage("CSMS_TOKEN has characters that no token has")  # which stay unsaid

    def get(self, path: str, **query: Any) -> Any:
        """The JSON body of a GET. Raises Refused or ServerUnreachable, as all the others do."""
        return self._ask("GET", _with_query(path, query))

    def pages(self, path: str, *, limit: int | None = None, **query: Any) -> list[dict[str, Any]]:
        """The items of a list, `limit` at most, through as many pages as it takes."""
        found: list[dict[str, Any]] = []
        cursor = None
        while limit is None or len(found) < limit:
            size = _PAGE if limit is None else min(_PAGE, limit - len(found))
            page = self.get(path, limit=size, cursor=cursor, **query)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        return found

    def post(
        self,
        path: str,
        body: Any = None,
        *,
        timeout_s: float = TIMEOUT_S,
        more: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON body of the answer to a POST; bytes go as they are, all else as JSON."""
        return self._ask("POST", path, body, timeout_s=timeout_s, more=more)

    def upload(self, path: str, file: BufferedReader, *, timeout_s: float, **query: Any) -> Any:
        """The JSON body of the answer to a POST of a whole file, read as it goes."""
        size = str(os.fstat(file.fileno()).st_size)
        more = {"Content-Type": "application/octet-stream", "Content-Length": size}
        return self._ask("POST", _with_query(path, query), file, timeout_s=timeout_s, more=more)

    def put(self, path: str, body: Any = None) -> Any:
        """The JSON body of the answer to a PUT."""
        return self._ask("PUT", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """The JSON body of the answer to a PATCH."""
        return self._ask("PATCH", path, body)

    def delete(self, path: str, **query: Any) -> Any:
        """The JSON body of the answer to a DELETE, None when it has none."""
        return self._ask("DELETE", _with_query(path, query))

    def content(self, path: str, **query: Any) -> Iterator[bytes]:
        """A file that is too long to be held as a whole, piece by piece."""
        connection = _connection(self.url, TIMEOUT_S)
        try:
            connection.request("GET", _with_query(path, query), headers=self._headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise _refused(response.status, response.read())
            while piece := response.read1(_CHUNK):
                yield piece
            if response.length:
                raise ServerUnreachable(f"the answer from {self.url} broke off")
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachable(f"no answer from {self.url}: {error}") from error
        finally:
            connection.close()

    def answers(self, path: str) -> bool:
        """Whether a GET of a public path is answered with 200, now."""
        try:
            status, _ = self._exchange("GET", path, b"", {}, PROBE_S)
        except ServerUnreachable:
            return False
        return status == 200

    def readiness(self) -> dict[str, Any]:
        """What /readyz says, whether or not it is ready. Raises ServerUnreachable."""
        status, answer = self._exchange("GET", "/readyz", b"", {}, PROBE_S)
        found = _parse(answer)
        if status not in {200, 503} or not isinstance(found, dict) or "checks" not in found:
            raise ServerUnreachable(f"{self.url} is no csms server: it answers {status}")
        return found

    def welcomes_stations(self) -> bool:
        """Whether a websocket upgrade gets through to the door for stations, and no further."""
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": b64encode(os.urandom(16)).decode(),
            "User-Agent": DOCTOR,  # the inbox keeps nothing of it
        }
        # Without an identity, so that nobody is registered.
        status, answer = self._exchange("GET", "/", b"", headers, PROBE_S)
        return status == 400 and b"identity" in answer

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    def _ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        timeout_s: float = TIMEOUT_S,
        more: Mapping[str, str] | None = None,
    ) -> Any:
        headers = {**self._headers, **(more or {})}
        content: bytes | BufferedReader = b""
        if isinstance(body, bytes | BufferedReader):
            content = body
        elif body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        status, answer = self._exchange(method, path, content, headers, timeout_s)
        if status >= 400:
            raise _refused(status, answer)
        return _parse(answer)

    def _exchange(
        self,
        method: str,
        path: str,
        content: bytes | BufferedReader,
        headers: Mapping[str, str],
        timeout_s: float,
    ) -> tuple[int, bytes]:
        connection = _connection(self.url, timeout_s)
        try:
            connection.request(method, path, body=content or None, headers=dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachable(f"no answer from {self.url}: {error}") from error
        finally:
            connection.close()


def find_server(data_dir: Path) -> Client | None:
    """The server that runs on this data directory, or None when none answers there.

    CSMS_URL and CSMS_TOKEN name another one, on any machine; it is taken at its word.
    """
    url = os.environ.get("CSMS_URL", "").strip()
    if url:
        return Client(url, os.environ.get("CSMS_TOKEN", "").strip())
    path = data_dir / ADDRESS_FILE
    try:
        written = json.loads(path.read_text("utf-8"))
        client = Client(url=written["url"], token=written["token"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandFailed(f"cannot read {path}: {error}") from error
    # A killed server leaves its file behind.
    return client if client.answers("/healthz") else None


def require_server(data_dir: Path) -> Client:
    """The server that runs on this data directory; raises ServerUnreachable."""
    client = find_server(data_dir)
    if client is None:
        raise ServerUnreachable(f"no csms server runs on {data_dir}; start one with: csms serve")
    return client


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe=":")


def station_path(station: str, *rest: str) -> str:
    """The path of a station by its id or its identity, and what belongs to it."""
    return "/".join(("/api/v1/stations", segment(station_name(station)), *rest))


def station_name(station: str) -> str:
    """What the API takes for a station: its id, or its identity marked as one."""
    # No identity has a colon: it may be marked already, as the API's documents write it.
    is_marked = station.startswith("identity:")
    return station if is_marked or is_id(station) else f"identity:{station}"


def is_id(text: str) -> bool:
    """Whether this is one of our ids; all of them are UUIDs."""
    return _UUID.fullmatch(text) is not None


def _with_query(path: str, query: Mapping[str, Any]) -> str:
    given = {key: _text(value) for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")  # as the socket does
        is_address = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    more = (parts.path.strip("/"), parts.query, parts.fragment)
    return (
        is_address
        and not any(more)
        and parts.scheme in {"http", "https"}
        and _URL.fullmatch(url) is not None
    )


def _connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname is not None
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout_s, context=context
        )
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)


def _parse(answer: bytes) -> Any:
    try:
        return json.loads(answer) if answer else None
    except ValueError:
        return answer.decode("utf-8", "replace")


def _refused(status: int, answer: bytes) -> Refused:
    value = _parse(answer)
    return Refused(status, _reason(status, value), code=_code(value))


def _reason(status: int, value: Any) -> str:
    """The sentence in an error body, whichever of the three dialects wrote it."""
    if isinstance(value, dict):
        errors = value.get("errors")
        if isinstance(errors, list):  # ours: each with its place
            return "; ".join(f"{one['in']}{one['pointer']}: {one['detail']}" for one in errors)
        if errors:
            return f"{value.get('message')} {json.dumps(errors)}"
        for key in ("detail", "message", "title"):
            said = value.get(key)
            if said:
                return said if isinstance(said, str) else json.dumps(said)
    return f"the server answered {status}"


def _code(value: Any) -> str | None:
    code = value.get("code") if isinstance(value, dict) else None
    return code if isinstance(code, str) else None
