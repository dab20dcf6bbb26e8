"""What one person's pages hand out is nobody else's: places for uploads, files, sessions; and what no page needs is not heard."""

from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from creditrisk import handed, perimeter, sessions
from creditrisk.handed import Handed
from creditrisk.perimeter import Perimeter
from creditrisk.store import Store
from tests import rest
from tests.conftest import ROOT
from tests.rest import TestClient
from tests.test_perimeter import HOME, Signing, cookie
from ui import wire

RITA = {"email": "rita@bank.test", "groups": ["reviewer"], "iat": 1}
ANN = {"email": "ann@bank.test", "groups": ["analyst"], "iat": 2}
UPLOAD = "/_stcore/upload_file/ann-s-session/f1"


def offered(**given: Any) -> ForwardMsg:
    """A message that shows a button which downloads."""
    message = ForwardMsg()
    for name, value in given.items():
        setattr(message.delta.new_element.download_button, name, value)
    return message


def told() -> list[ForwardMsg]:
    """What a page says to its browser."""
    place, made, begun, shown, mark = ForwardMsg(), ForwardMsg(), ForwardMsg(), ForwardMsg(), ForwardMsg()
    place.file_urls_response.file_urls.add(upload_url=UPLOAD, delete_url=UPLOAD)
    made.backend_operation_response.deferred_file.url = "/media/made.pdf"
    begun.new_session.initialize.session_id = "ann-s-session"
    shown.delta.new_element.imgs.imgs.add(url="/media/shown.png")
    mark.logo.image = "/media/mark.svg"
    return [place, made, begun, shown, mark, offered(url="/media/card.md"), offered(deferred_file_id="later")]


def asked(kind: str, **given: Any) -> BackMsg:
    """A message that asks the server to do something."""
    message = BackMsg()
    part: Message = getattr(message.backend_operation_request, kind)
    part.SetInParent()
    for name, value in given.items():
        setattr(part, name, value)
    return message


def guarded(store: Store, signing: Signing | None) -> TestClient:
    """A server behind the guard whose pages say `told` and then repeat what they hear, and under which session they go on."""

    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        for message in told():
            await socket.send_bytes(message.SerializeToString())
        await socket.send_text(socket.headers.get("sec-websocket-protocol", ""))
        while True:
            said = await socket.receive()
            if said["type"] == "websocket.disconnect":
                return
            await socket.send_text(str(BackMsg.FromString(said["bytes"]).WhichOneof("type")))

    async def file(_request: Request) -> Response:
        return PlainTextResponse("a file")

    routes = [WebSocketRoute("/_stcore/stream", stream), Route("/{rest:path}", file, methods=["GET", "PUT", "DELETE", "POST"])]
    app: Any = Perimeter(Starlette(routes=routes), lambda: store, lambda: signing, wire)
    return TestClient(app, base_url=HOME, client=("127.0.0.1", 50_000))


def come(claims: dict[str, Any]) -> dict[str, str]:
    return {"Cookie": f"who={cookie(claims)}"}


def talk(browser: TestClient, claims: dict[str, Any] | None, *messages: BackMsg, joining: str = "") -> list[str]:
    """Open a page, say these messages and one that is always heard; return the protocol it was opened with, and what was heard."""
    last = BackMsg()
    last.app_heartbeat = True
    headers = {"Origin": HOME, **(come(claims) if claims else {}), **({"Sec-WebSocket-Protocol": joining} if joining else {})}
    with browser.websocket_connect("ws://localhost:8501/_stcore/stream", headers=headers) as opened:
        for _ in told():
            opened.receive_bytes()
        heard = [opened.receive_text()]
        for message in (*messages, last):
            opened.send_bytes(message.SerializeToString())
        while heard[-1] != "app_heartbeat":
            heard.append(opened.receive_text())
    return heard[:-1]


@pytest.fixture
def browser(store: Store) -> TestClient:
    """Two people have signed in; only Ann has opened a page."""
    for claims in (RITA, ANN):
        sessions.begin(store, claims)
    opened = guarded(store, Signing())
    talk(opened, ANN)
    return opened


@pytest.mark.parametrize("path", ["/media/card.md", "/media/card", "/media/made.pdf", "/media/shown.png", "/media/mark.svg", UPLOAD])
def test_what_a_page_handed_out_is_nobody_elses(browser: TestClient, path: str) -> None:
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        assert browser.request(method, path, headers=come(RITA)).status_code == 404, method
        assert browser.request(method, path).status_code == 401, method
        assert browser.request(method, path, headers=come(ANN)).status_code in (200, 405), method


def test_a_place_for_uploads_that_nobody_was_given_is_none(browser: TestClient) -> None:
    refused = browser.put(UPLOAD.replace("f1", "another"), headers=come(ANN))
    assert refused.status_code == 404
    assert refused.json()["detail"] == "No page of yours offers this; open the page that does, and take it from there."


def test_a_browser_goes_on_with_a_session_of_its_own_sign_in_only(browser: TestClient) -> None:
    joining = "streamlit, token, ann-s-session"
    assert talk(browser, RITA, joining=joining) == ["streamlit, token"]
    assert talk(browser, ANN, joining=joining) == [joining]
    assert talk(browser, ANN, joining="streamlit, token, rita-s-session") == ["streamlit, token"]
    assert talk(browser, ANN, joining="streamlit") == ["streamlit"]


def test_a_download_still_to_be_made_is_made_for_whom_it_was_offered(store: Store) -> None:
    sessions.begin(store, ANN)
    opened = guarded(store, Signing())
    mine, others = asked("deferred_file", file_id="later"), asked("deferred_file", file_id="of somebody else")
    assert talk(opened, ANN, others)[1:] == []
    assert talk(opened, ANN, others, mine)[1:] == ["backend_operation_request"]


@pytest.mark.parametrize("signing", [Signing(), None])
def test_what_no_page_needs_is_not_heard(store: Store, signing: Signing | None) -> None:
    sessions.begin(store, ANN)
    unheard = [BackMsg(), asked("install_skills"), asked("dismiss_skills_nudge")]
    for kind in ("load_git_info", "clear_cache", "set_run_on_save", "debug_disconnect_websocket", "debug_shutdown_runtime"):
        unheard.append(BackMsg())
        setattr(unheard[-1], kind, True)
    heard = BackMsg()
    heard.rerun_script.query_string = "applicant=A"
    assert talk(guarded(store, signing), ANN if signing else None, *unheard, heard)[1:] == ["rerun_script"]


def test_in_local_mode_everybody_is_the_one_at_the_machine(store: Store) -> None:
    opened = guarded(store, None)
    assert talk(opened, None, asked("deferred_file", file_id="later"))[1:] == ["backend_operation_request"]
    assert opened.put(UPLOAD).text == "a file"


def test_a_text_that_looks_like_an_address_hands_nothing_out(store: Store) -> None:
    echoed = ForwardMsg()
    echoed.delta.new_element.text.body = "/media/card.md"
    alert = ForwardMsg()
    alert.delta.new_element.alert.body = UPLOAD
    assert [*wire.handed(echoed.SerializeToString()), *wire.handed(alert.SerializeToString())] == []


def test_one_sign_in_has_so_many_pages_open_and_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed, "MOST_OPEN", 2)
    for claims in (RITA, ANN):
        sessions.begin(store, claims)
    opened = guarded(store, Signing())
    where, headers = "ws://localhost:8501/_stcore/stream", {"Origin": HOME, **come(ANN)}
    with opened.websocket_connect(where, headers=headers), opened.websocket_connect(where, headers=headers):
        with pytest.raises(rest.WebSocketDenialResponse) as refused, opened.websocket_connect(where, headers=headers):
            pass
        assert "You have 2 pages open: close one." in refused.value.text
        assert talk(opened, RITA), "others are not held up"
    assert talk(opened, ANN), "a page that was closed is not counted"
    assert talk(guarded(store, None), None), "at one machine nobody counts"


def test_uploads_that_would_fill_the_memory_wait_and_can_be_taken_back(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "held", lambda: perimeter.MOST_HELD + 1)
    refused = browser.put(UPLOAD, headers=come(ANN))
    assert refused.status_code == 503
    assert "no room for another" in refused.json()["detail"]
    assert browser.delete(UPLOAD, headers=come(ANN)).text == "a file"


def test_what_is_uploaded_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = MemoryUploadedFileManager("/_stcore/upload_file")
    for name, size in (("a", 100), ("b", 23)):
        kept.add_file("session", UploadedFileRec(name, name, "text/csv", b"x" * size))
    assert wire.held() == 0, "no server, no uploads"
    monkeypatch.setattr(Runtime, "exists", lambda: True)
    monkeypatch.setattr(Runtime, "instance", lambda: SimpleNamespace(uploaded_file_mgr=kept))
    assert wire.held() == 123
    kept.remove_session_files("session")
    assert wire.held() == 0


def test_a_message_longer_than_any_page_says_is_not_read() -> None:
    message = BackMsg()
    message.rerun_script.widget_states.widgets.add(id="text", string_value="x" * wire.LONGEST)
    assert wire.wanted(message.SerializeToString()) is None
    message.rerun_script.widget_states.widgets[0].string_value = "x" * 1_000_000
    assert wire.wanted(message.SerializeToString()) == ""


def test_what_is_remembered_is_bounded_and_the_newest_stays() -> None:
    kept = Handed(wire)
    kept.note("ann", (f"/media/{n}" for n in range(handed.MOST_EACH + 10)))
    assert not kept.has("ann", "/media/9")
    assert kept.has("ann", "/media/10")
    assert kept.has("ann", f"/media/{handed.MOST_EACH + 9}")
    for n in range(handed.MOST_PEOPLE - 1):
        kept.note(f"person {n}", ["/media/1"])
    kept.note("ann", ["/media/1"])
    kept.note("one more", ["/media/1"])
    assert kept.has("ann", "/media/1"), "who was at work last is not forgotten"
    assert not kept.has("person 0", "/media/1")


def test_pages_hand_out_files_in_ways_that_the_wire_knows() -> None:
    unknown = ("st.audio", "st.video", "st.pdf", "st.camera_input", "st.audio_input", "st.chat_input", "components.declare_component")
    for file in (*ROOT.glob("ui/*.py"), *ROOT.glob("pages/*.py")):
        found = [name for name in unknown if f"{name}(" in file.read_text(encoding="utf-8")]
        assert not found, f"{file.name} uses {found}: let ui.wire know what it hands out"
