"""A headless Chromium that tells whether anything ran, or was kept from it, that is not the page's."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
_BINDING = "told"
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--no-proxy-server"),
    *(
        "--disable-dev-shm-usage",
        "--window-size=1100,900",
        "--hide-scrollbars",
        "--remote-debugging-port=0",
    ),
)
# Runs before any script of a document, and outside of its policy. An attack calls ran(…).
_WATCH = f"""
  globalThis.ran = (which) => {_BINDING}(`ran: ${{which}}`);
  addEventListener("securitypolicyviolation", (event) =>
    {_BINDING}(`stopped: ${{event.violatedDirective}} ${{event.blockedURI}} ${{event.sample}}`));
"""
_DEADLINE_S = 30


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection, session: str) -> None:
        self._socket = socket
        self._session = session
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self._news = asyncio.Event()
        self._status = 0
        self.origin = ""
        self.incidents: list[str] = []
        """What ran, what the policy stopped, what was fetched elsewhere, what failed."""

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command."""
        number = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        message = {"id": number, "method": method, "params": params, "sessionId": self._session}
        await self._socket.send(json.dumps(message))
        async with asyncio.timeout(_DEADLINE_S):
            return await answer

    async def goto(self, url: str) -> int:
        """Until it is loaded, which a download never is; the status of the answer."""
        target = urlsplit(url)
        self.origin = f"{target.scheme}://{target.netloc}"
        self._loaded.clear()
        found = await self.send("Page.navigate", url=url)
        if "errorText" not in found and "loaderId" in found:
            await self.loaded()
        return self._status

    async def loaded(self) -> None:
        """Until the next document is loaded."""
        async with asyncio.timeout(_DEADLINE_S):
            await self._loaded.wait()
        self._loaded.clear()

    async def run(self, script: str) -> Any:
        """The value of an expression, of a promise when it has come; raises what it throws."""
        found = await self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, (script, found["exceptionDetails"])
        return found["result"].get("value")

    async def until(self, condition: str) -> None:
        """Until an expression is true."""
        await self.run(
            f"new Promise((done) => {{ const look = () => ({condition}) ? done() :"
            " setTimeout(look, 20); look(); })"
        )

    async def noticed(self, what: str) -> None:
        """Until an incident begins with this; it is not counted then."""
        async with asyncio.timeout(_DEADLINE_S):
            while not (found := [one for one in self.incidents if one.startswith(what)]):
                await self._news.wait()
                self._news.clear()
        self.incidents.remove(found[0])

    async def click(self, selector: str) -> None:
        """A click on the first that is there."""
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def frames(self) -> list[str]:
        """What is in the frames of the document."""
        tree = (await self.send("Page.getFrameTree"))["frameTree"]
        return [one["frame"]["url"] for one in tree.get("childFrames", ())]

    async def picture(self, path: Path) -> None:
        """The whole page, for people."""
        found = await self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    async def listen(self) -> None:
        """Until the browser ends; whoever waits for it then is told."""
        try:
            async for text in self._socket:
                self._hear(json.loads(text))
        finally:
            for waiting in self._waiting.values():
                waiting.cancel()

    def _hear(self, message: dict[str, Any]) -> None:
        if (waiting := self._waiting.pop(message.get("id", 0), None)) is not None:
            if "error" in message:
                waiting.set_exception(AssertionError(message["error"]))
            else:
                waiting.set_result(message["result"])
        elif message.get("sessionId") == self._session:
            self._note(message["method"], message["params"])

    def _incident(self, what: str) -> None:
        self.incidents.append(what)
        self._news.set()

    def _note(self, event: str, about: dict[str, Any]) -> None:
        if event == "Page.loadEventFired":
            self._loaded.set()
        elif event == "Runtime.bindingCalled":
            self._incident(about["payload"])
        elif event == "Page.javascriptDialogOpening":
            self._incident(f"dialog: {about['message']}")
            asyncio.get_running_loop().create_task(
                self.send("Page.handleJavaScriptDialog", accept=False)
            )
        elif event == "Runtime.exceptionThrown":
            details = about["exceptionDetails"]
            thrown = details.get("exception", {}).get("description", details["text"])
            self._incident(f"exception: {thrown}")
        elif event == "Network.responseReceived" and about["type"] == "Document":
            self._status = about["response"]["status"]
        elif event == "Network.requestWillBeSent":
            url = about["request"]["url"]
            if not url.startswith((f"{self.origin}/", "data:image/", "about:")):
                self._incident(f"fetched: {url}")


@asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Page]:
    """A tab of a browser that knows nobody; the profile is made."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        *(CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        said = b""
        async with asyncio.timeout(_DEADLINE_S):
            while b"ws://" not in (said := await process.stderr.readline()):
                assert said, "the browser ended"
        # It says more, which nobody reads; a full pipe would stop it.
        draining = asyncio.create_task(process.stderr.read())
        address = said.decode().split("listening on ")[1].strip()
        async with connect(address, max_size=None, proxy=None, compression=None) as socket:
            page = Page(socket, await _attached(socket))
            listening = asyncio.create_task(page.listen())
            for domain in ("Page", "Runtime", "Network"):
                await page.send(f"{domain}.enable")
            await page.send("Runtime.addBinding", name=_BINDING)
            await page.send("Page.addScriptToEvaluateOnNewDocument", source=_WATCH)
            yield page
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        draining.cancel()


async def _attached(socket: ClientConnection) -> str:
    """The session of the tab that is there from the beginning."""
    await socket.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
    found = json.loads(await socket.recv())["result"]["targetInfos"]
    target = next(one["targetId"] for one in found if one["type"] == "page")
    params = {"targetId": target, "flatten": True}
    await socket.send(json.dumps({"id": 2, "method": "Target.attachToTarget", "params": params}))
    while "sessionId" not in (answer := json.loads(await socket.recv())).get("result", {}):
        continue
    session: str = answer["result"]["sessionId"]
    return session
