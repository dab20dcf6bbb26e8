"""A request's head is bounded in bytes and in time, before anybody knows whose it is; bodies and keep-alive go on as they did."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from websockets.sync.client import connect

from ui import porch


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that says how long a body was, with heads that have half a second."""

    async def length(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def echo(stream: WebSocket) -> None:
        await stream.accept()
        await stream.send_text(await stream.receive_text())
        await stream.close()

    class Narrow(HttpToolsProtocol):
        pass

    porch.narrow(Narrow, patience=0.5)
    porch.narrow(Narrow, patience=0.1)
    app = Starlette(routes=[Route("/", length, methods=["GET", "POST"]), WebSocketRoute("/ws", echo)])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    server = uvicorn.Server(uvicorn.Config(app, port=free, http=Narrow, log_level="critical", timeout_keep_alive=2, ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield free
    server.should_exit = True
    thread.join(10)


def said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send these parts; return all that comes back until the server hangs up."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.settimeout(10)
        try:
            for part in parts:
                line.sendall(part)
                time.sleep(pause)
            while some := line.recv(65536):
                heard += some
        except ConnectionError:
            pass
    return heard


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


def test_a_header_without_end_is_cut_off(port: int) -> None:
    assert b"The head of the request is too long." in said(port, HEAD + b"X: ", *[b"a" * 8_192] * 8, pause=0.01)
    many = b"".join(b"X%d: %s\r\n" % (n, b"a" * 90) for n in range(700))
    assert b"The head of the request is too long." in said(port, HEAD + many[:60_000], many[60_000:], pause=0.01)


def test_a_long_body_is_no_head(port: int) -> None:
    whole = HEAD + b"Connection: close\r\nContent-Length: 3000000\r\n\r\n" + b"b" * 3_000_000
    assert said(port, whole).endswith(b"3000000")
    assert said(port, whole[:100], whole[100:], pause=0.1).endswith(b"3000000")


def test_a_line_is_used_again_after_long_bodies_and_heads(port: int) -> None:
    one = HEAD + b"X: " + b"a" * 50_000 + b"\r\nContent-Length: 200000\r\n\r\n" + b"b" * 200_000
    last = HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nbb"
    answers = said(port, one, one, one, last, pause=0.2)
    assert answers.count(b"200 OK") == 4


@pytest.mark.parametrize("parts", [[b""], [b"GET / HT"], [HEAD, *[b"X: a\r\n"] * 20]])
def test_who_never_ends_a_head_is_hung_up_on(port: int, parts: list[bytes]) -> None:
    began = time.monotonic()
    assert said(port, *parts, pause=0.05) == b""
    assert time.monotonic() - began < 5


def test_a_slow_second_head_is_hung_up_on_too(port: int) -> None:
    first = HEAD + b"Content-Length: 0\r\n\r\n"
    answers = said(port, first, b"GET /", b"a", pause=0.05)
    assert answers.count(b"200 OK") == 1


def test_who_takes_time_over_a_body_is_not_hung_up_on_here(port: int) -> None:
    parts: list[Any] = [HEAD + b"Connection: close\r\nContent-Length: 8\r\n\r\n", *[b"b"] * 8]
    assert said(port, *parts, pause=0.12).endswith(b"8")


def test_an_open_socket_is_left_alone(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/ws") as line:
        time.sleep(0.8)
        line.send("still here")
        assert line.recv() == "still here"
