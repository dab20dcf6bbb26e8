"""The theme is read once. Streamlit reads it anew, option by option, at the beginning of every rerun: with many at work a seventh of all.

What it makes of the settings stands in a private function of the pinned version; where that is another, everything stays as it was.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

READS = "_populate_theme_msg"


def keep(where: Any = app_session) -> None:
    """Remember each section of the theme as it was read first; once is enough."""
    read: Callable[..., None] | None = getattr(where, READS, None)
    if read is None or hasattr(read, "__wrapped__"):
        return

    @cache
    def kept(section: str) -> CustomThemeConfig:
        message = CustomThemeConfig()
        read(message, section)
        return message

    def populate(message: CustomThemeConfig, section: str = "theme") -> None:
        if kept(section).ByteSize():
            message.MergeFrom(kept(section))

    populate.__wrapped__ = read  # type: ignore[attr-defined]
    setattr(where, READS, populate)
