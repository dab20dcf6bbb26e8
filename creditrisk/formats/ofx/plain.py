"""OFX as plain tagged text, whatever its version, header and encoding: tags in capitals without attributes, on the lines they were on.

Nobody may break this: a document type is never read, and a text without its end is cut off and refused.
"""

import re
from collections.abc import Iterator

from creditrisk import banks, charset
from creditrisk.errors import UnreadableFile

ODD_TAG = re.compile(r"<(?!/?[A-Z][A-Z0-9.]*>)")
ANY_TAG = re.compile(r"<(/?)(?:[A-Za-z]\w*:)?([A-Za-z][\w.]*)(?:\s[^<>]*?)?\s*(/?)>")


def decoded(file: str, content: bytes, profile: banks.Profile | None) -> tuple[str, str]:
    """Decode as UTF-8 where it is, else as the header says; headers that name UTF-8 or ASCII and are neither are common."""
    if profile and profile.encoding:
        return _whole(file, *charset.decode(file, content, profile.encoding))
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        if not marked:
            return _whole(file, content.decode("utf-8-sig"), "utf-8")
    except UnicodeDecodeError:
        header = content[:2000].decode("latin-1")
        named = re.search(r"CHARSET\s*:\s*([\w-]+)|encoding\s*=\s*[\"']([\w-]+)", header, re.IGNORECASE)
        page = (named[1] or named[2]).lower() if named else ""
        page = "cp1252" if re.fullmatch(r"(iso-?)?8859-1|latin-?1|(windows-?)?1252|us-?ascii|ascii", page) else page
        page = f"cp{page}" if re.fullmatch(r"125\d", page) else page
        try:
            if page and not page.startswith(("utf", "none")):
                return _whole(file, content.decode(page), page)
        except (UnicodeDecodeError, LookupError):
            pass  # the header is wrong: the likeliest code page is found from the bytes
    return _whole(file, *charset.decode(file, content))


def _whole(file: str, text: str, encoding: str) -> tuple[str, str]:
    if "\x00" in text:
        raise UnreadableFile(file, "the file contains NUL characters: it is damaged.")
    return text, encoding


def tagged(file: str, text: str, max_depth: int) -> str:
    """Return the text with every tag in capitals and without attributes, every other `<` escaped, on the same lines.

    Raises UnreadableFile for a document type, for elements nested too deep and where the end is missing.
    """
    if "<!" in text and re.search(r"<!\s*(DOCTYPE|ENTITY|ELEMENT)", text, re.IGNORECASE):
        raise UnreadableFile(file, "the file declares a document type (<!DOCTYPE>), which no bank's statement does; it is not read.")
    found = re.search(r"<(?:\w+:)?OFX\b[^<>]*>", text, re.IGNORECASE)
    if found is None:
        raise UnreadableFile(file, "there is an OFX header and no <OFX> below it: the file is cut off.")
    head, body = text[: found.start()], text[found.start() :]
    if "<!" in body:
        body = re.sub(r"<!--.*?-->", lambda comment: "\n" * comment[0].count("\n"), body, flags=re.DOTALL)
        body = re.sub(r"<!\[CDATA\[(.*?)\]\]>", lambda data: data[1].replace("&", "&amp;").replace("<", "&lt;"), body, flags=re.DOTALL)
    if ODD_TAG.search(body):
        body = "".join(_normal(body))
    # Nothing here recurses; what is nested below the first transaction is skipped as unknown fields.
    if re.search(rf"(?:<[A-Z][A-Z0-9.]*>\s*){{{max_depth + 1}}}", body.partition("<STMTTRN>")[0]):
        raise UnreadableFile(file, f"elements are nested more than {max_depth} deep.")
    return re.sub(r"[^\r\n]", " ", head) + body


def _normal(body: str) -> Iterator[str]:
    """Write tags one way: <name a="b"/> becomes <NAME></NAME>; a `<` that begins no tag becomes &lt;."""
    done = 0
    for tag in ANY_TAG.finditer(body):
        yield body[done : tag.start()].replace("<", "&lt;")
        name = tag[2].upper()
        yield f"<{name}></{name}>" if tag[3] else f"<{tag[1]}{name}>"
        yield "\n" * tag[0].count("\n")
        done = tag.end()
    yield body[done:].replace("<", "&lt;")


def version(text: str) -> str:
    found = re.search(r"\bVERSION\s*[:=]\s*[\"']?(\d+)", text[:2000])
    return found[1] if found else ""


def status(plain: str) -> str:
    """Say what the bank answered instead of a statement, where it did."""
    found = re.search(r"<SEVERITY>\s*ERROR[^<]*(?:</SEVERITY>\s*)?(?:<MESSAGE>([^<]*))?", plain)
    return f" (the bank answered with an error{': ' + found[1].strip() if found[1] else ''})" if found else ""
