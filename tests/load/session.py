"""One visitor without a browser: BackMsg goes out over the WebSocket, ForwardMsg comes in, until the server says the script has ended."""

import time
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 120.0  # seconds after which a rerun counts as failed


class Broken(Exception):
    """What the page answered instead of itself."""


@dataclass
class Session:
    """An open socket and what the last rerun showed: ids of buttons, fields and uploaders by their label, the hashes of pages by name."""

    url: str  # http://host:port
    socket: ClientConnection
    shown: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    session_id: str = ""
    person: str = ""  # who acts, as typed into the sidebar
    page: str = ""
    query: str = ""

    @classmethod
    async def open(cls, url: str) -> "Session":
        """Connect as a browser on this machine does."""
        address = url.replace("http", "ws", 1) + "/_stcore/stream"
        return cls(url, await connect(address, subprotocols=["streamlit"], origin=url, max_size=None, open_timeout=PATIENCE))

    async def go(self, page: str, **params: str) -> float:
        """Open a page by its address; returns the seconds until it stood."""
        self.page, self.query = page, urlencode(params)
        return await self._rerun(BackMsg(), named=True)

    async def be(self, person: str) -> float:
        """Say who acts; whoever has not is the installation's default person."""
        self.person = person
        return await self._rerun(BackMsg())

    async def press(self, label: str) -> float | None:
        """Press a button that the page shows; None where it shows none of this name."""
        if label not in self.shown:
            return None
        message = BackMsg()
        message.rerun_script.widget_states.widgets.add(id=self.shown[label], trigger_value=True)
        return await self._rerun(message)

    async def upload(self, label: str, name: str, content: bytes) -> float:
        """Send a file the way the browser does, then let the page see it; returns the seconds until the page stood."""
        asked = BackMsg()
        asked.file_urls_request.request_id = uuid4().hex
        asked.file_urls_request.file_names.append(name)
        asked.file_urls_request.session_id = self.session_id
        began = time.perf_counter()
        await self.socket.send(asked.SerializeToString())
        while (message := await self._next()).WhichOneof("type") != "file_urls_response":
            pass
        (urls,) = message.file_urls_response.file_urls
        async with httpx.AsyncClient(base_url=self.url, timeout=PATIENCE, headers={"Origin": self.url}) as http:
            await http.get("/_stcore/health")
            token = http.cookies.get("_streamlit_xsrf", "")
            sent = await http.put(urls.upload_url, files={"file": (name, content)}, headers={"X-Xsrftoken": token})
        if sent.status_code >= 300:
            raise Broken(f"the upload was answered with {sent.status_code}")
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add(id=self.shown[label]).file_uploader_state_value
        told = state.uploaded_file_info.add(name=name, size=len(content), file_id=urls.file_id)
        told.file_urls.CopyFrom(urls)
        await self._rerun(message)
        return time.perf_counter() - began

    async def close(self) -> None:
        """Leave, as a closed tab does."""
        await self.socket.close()

    async def _rerun(self, message: BackMsg, *, named: bool = False) -> float:
        asked = message.rerun_script
        if self.person:
            asked.widget_states.widgets.add(id=self.shown["Acting as"], string_value=self.person)
        asked.query_string = self.query
        asked.context_info.url = f"{self.url}/{self.page}"
        asked.context_info.timezone = "UTC"
        if named and self.page not in self.pages:
            asked.page_name = self.page
        else:
            asked.page_script_hash = self.pages.get(self.page, "")
        began = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        self.shown = {}
        while True:
            said = await self._next()
            kind = said.WhichOneof("type")
            if kind == "script_finished" and said.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_EARLY_FOR_RERUN,
            ):
                if said.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return time.perf_counter() - began
            elif kind == "script_finished":
                raise Broken(f"{self.page}: the script ended with {said.script_finished}")
            elif kind == "delta":
                self._see(said)
            elif kind == "new_session":
                self.session_id = said.new_session.initialize.session_id or self.session_id
            elif kind == "navigation":
                self.pages = {page.url_pathname: page.page_script_hash for page in said.navigation.app_pages}

    async def _next(self) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(await self.socket.recv())
        return message

    def _see(self, said: ForwardMsg) -> None:
        element = said.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise Broken(f"{self.page}: {element.exception.type}: {element.exception.message}")
        if kind in ("button", "file_uploader", "text_input"):
            widget = getattr(element, kind)
            self.shown[widget.label] = widget.id
