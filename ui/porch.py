"""Before the guard: a request's head ends after so many bytes and so much time, whoever sends it.

uvicorn's parser bounds neither, so that one who never says a name could fill the memory with a header without end, or hold every
connection open. Its class is narrowed where it stands: Streamlit chooses it, and offers no setting for either.
"""

from functools import wraps
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST = 64 * 1024  # bytes of a head
PATIENCE = 30.0  # seconds until a head has to be whole


def narrow(protocol: Any = HttpToolsProtocol, patience: float = PATIENCE) -> None:
    """Bound the heads that a protocol of uvicorn's reads; once is enough."""
    if hasattr(protocol, "heads"):
        return
    made, received = protocol.connection_made, protocol.data_received
    protocol.heads, protocol.head, protocol.is_in_head = 0, 0, True  # ends of heads and bodies so far, bytes of the present head

    def await_head(self: Any) -> None:
        self.loop.call_later(patience, hang_up, self, self.heads)

    def hang_up(self: Any, heads: int) -> None:
        if self.heads == heads and self.is_in_head:
            self.transport.close()

    @wraps(made)
    def connection_made(self: Any, transport: Any) -> None:
        made(self, transport)
        await_head(self)

    @wraps(received)
    def data_received(self: Any, data: bytes) -> None:
        heads = self.heads
        if self.is_in_head and not self.head:
            await_head(self)
        received(self, data)
        self.head = self.head + len(data) if self.heads == heads and self.is_in_head else 0
        if self.head > MOST:
            self.send_400_response("The head of the request is too long.")

    def ended(step: Any, *, is_in_head: bool) -> Any:
        @wraps(step)
        def counted(self: Any) -> Any:
            self.heads, self.is_in_head = self.heads + 1, is_in_head
            return step(self)

        return counted

    protocol.connection_made, protocol.data_received = connection_made, data_received
    protocol.on_headers_complete = ended(protocol.on_headers_complete, is_in_head=False)
    protocol.on_message_complete = ended(protocol.on_message_complete, is_in_head=True)
