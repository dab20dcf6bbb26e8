"""A JSON document: its numbers as text, and the lists in it that may be transactions."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from creditrisk.errors import UnreadableFile
from creditrisk.settings import Intake

Object = dict[str, Any]


class Number(str):
    """A number as its digits stand in the file."""

    __slots__ = ()


@dataclass(frozen=True)
class Listed:
    """A list of transactions: the key it stands under, and the objects around it, the nearest first."""

    key: str
    items: list[Any]
    around: tuple[Object, ...]


def parsed(file: str, content: bytes, limits: Intake) -> list[Any]:
    """Return the documents of a file, one as a rule, one a line in JSON lines; numbers as text."""
    try:
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError as error:
        raise UnreadableFile(file, f"the file is not {error.encoding} text: byte {error.start + 1} is damaged.") from error
    text = text.removeprefix("\ufeff")
    try:
        documents = [_loaded(file, text)]
    except json.JSONDecodeError as error:
        documents = _by_line(file, text, error)
    except RecursionError as error:
        raise UnreadableFile(file, f"lists and objects are nested deeper than {limits.max_depth}.") from error
    for depth, _ in _nodes(documents):
        if depth > limits.max_depth + 1:
            raise UnreadableFile(file, f"lists and objects are nested deeper than {limits.max_depth}.")
    return documents


def _by_line(file: str, text: str, error: json.JSONDecodeError) -> list[Any]:
    lines = [line for line in text.splitlines() if line.strip()]
    if error.msg == "Extra data" and len(lines) > 1:
        try:
            return [_loaded(file, line) for line in lines]
        except json.JSONDecodeError:
            pass
    at_end = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
    what = "the document ends before it is complete: the file is cut off." if at_end else f"this is no valid JSON ({error.msg})."
    raise UnreadableFile(file, what, line=error.lineno, column=f"character {error.colno}") from error


def _loaded(file: str, text: str) -> Any:
    def constant(word: str) -> Any:
        raise UnreadableFile(file, f"{word} is not a number of money.", value=word)

    def unique(pairs: list[tuple[str, Any]]) -> Object:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
            raise UnreadableFile(file, f"an object has the key {twice[:80]!r} twice, so it says two things.", column=twice[:80])
        return found

    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=constant, object_pairs_hook=unique)


def _nodes(documents: list[Any]) -> Iterator[tuple[int, Any]]:
    """Walk objects and lists in document order, with their depth."""
    waiting: list[tuple[int, Any]] = [(1, documents)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        inner = list(node.values()) if isinstance(node, dict) else node
        waiting.extend((depth + 1, value) for value in reversed(inner) if isinstance(value, dict | list))


def lists(documents: list[Any], may_be: Callable[[Listed], bool]) -> tuple[list[Listed], list[Object]]:
    """Return the lists of objects that may be transactions, and the objects around them; nothing inside a transaction is looked at."""
    lists: list[Listed] = []
    outer: list[Object] = []
    waiting: list[tuple[str, Any, tuple[Object, ...]]] = [("", documents, ())]
    while waiting:
        key, node, around = waiting.pop()
        if isinstance(node, list):
            listed = Listed(key, node, around)
            if any(isinstance(item, dict) for item in node) and may_be(listed):
                lists.append(listed)
            else:
                waiting.extend((key, item, around) for item in reversed(node) if isinstance(item, dict | list))
                if not node and says_transactions(key):
                    lists.append(listed)
        else:
            outer.append(node)
            inner = (node, *around)
            waiting.extend((name, value, inner) for name, value in reversed(node.items()) if isinstance(value, dict | list))
    return lists, outer


def says_transactions(key: str) -> bool:
    return bool(re.search(r"transaction|booked|entries|movements|^added$|^results$|feeditems", key, re.IGNORECASE))
