"""The client that speaks to the API in tests, in the same process."""

import warnings

with warnings.catch_warnings():
    # starlette asks for a successor of httpx that this environment does not hold; the client works with either
    warnings.filterwarnings("ignore", message="Using `httpx` with")
    from starlette.testclient import TestClient, WebSocketDenialResponse

__all__ = ["TestClient", "WebSocketDenialResponse"]
