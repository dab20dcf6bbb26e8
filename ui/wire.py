"""Streamlit's messages, as far as the guard in front has to understand them: what a page hands its browser, what a browser asks for.

The only place that knows the protocol. What no page of ours needs is not heard: it would tell of the server's own files, or empty what
is remembered for everybody.
"""

from collections.abc import Iterator

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.stats import CacheStat

from creditrisk.handed import address

LONGEST = 4_000_000  # bytes of a message: the texts of every field of a page are far less
HEARD = frozenset({"rerun_script", "stop_script", "file_urls_request", "app_heartbeat"})
OPERATIONS = frozenset({"deferred_file", "dataframe_chunk"})


def handed(message: bytes) -> Iterator[str]:
    """Return what a message lets its browser ask for: its session, addresses of files, places for uploads, files still to be made."""
    said = ForwardMsg.FromString(message)
    kind = said.WhichOneof("type")
    if kind == "delta":
        element = said.delta.new_element
        if element.WhichOneof("type") == "download_button":
            yield address(element.download_button.url)
            yield element.download_button.deferred_file_id
        elif element.WhichOneof("type") == "imgs":
            yield from (address(image.url) for image in element.imgs.imgs)
    elif kind == "new_session":
        yield said.new_session.initialize.session_id
    elif kind == "file_urls_response":
        yield from (urls.upload_url for urls in said.file_urls_response.file_urls)
    elif kind == "backend_operation_response":
        yield address(said.backend_operation_response.deferred_file.url)
    elif kind == "logo":
        yield from (address(said.logo.image), address(said.logo.icon_image))


def held() -> int:
    """Return how many bytes of uploaded files are in memory, whoever's: they stay until their session ends."""
    if not Runtime.exists():
        return 0
    found = Runtime.instance().uploaded_file_mgr
    return sum(stat.byte_length for stats in found.get_stats().values() for stat in stats if isinstance(stat, CacheStat))


def wanted(message: bytes) -> str | None:
    """Return the file that a browser asks to be made, "" for what every page may be asked; None for what no page needs."""
    if len(message) > LONGEST:
        return None
    try:
        said = BackMsg.FromString(message)
    except DecodeError:
        return ""  # Streamlit closes the socket, as it does for every message that is none
    kind = said.WhichOneof("type")
    if kind != "backend_operation_request":
        return "" if kind in HEARD else None
    operation = said.backend_operation_request.WhichOneof("payload")
    if operation not in OPERATIONS:
        return None
    return said.backend_operation_request.deferred_file.file_id if operation == "deferred_file" else ""
