"""What the bytes of a file are before anybody reads it: another kind of file, known by how it begins, or text in some character set.

Nobody may break this: a file is known by what is in it, never by its name, and text is guessed at only where it is not UTF-8.
"""

import codecs
import re

from creditrisk import lexicon
from creditrisk.errors import UnreadableFile

CODE_PAGES = ["cp1252", "cp1250", "cp1251", "cp1257"]
RARER_PAGES = ["cp1253", "cp1254", "cp1255", "cp850", "koi8_r", "mac_roman", "gb18030", "shift_jis"]
SIGNATURES = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (XLSX)"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (XLS)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a rich-text document"),
    (b"PAR1", "a Parquet file"),
)
BEGINNINGS = (
    (r"OFXHEADER\s*:|<\?OFX|<OFX>", "an OFX statement"),
    (r"!(Type|Account|Option|Clear):", "a QIF statement"),
    (r"<\?xml|<!DOCTYPE|<(html|table|Document|Workbook)\b", "an XML or HTML document"),
    (r"[{\[]\s*[\"{\[\]}]", "a JSON document"),
    (r"(\{1:|:20:)[^\n]*[\r\n]", "a SWIFT MT940 statement"),
)


def recognise(content: bytes) -> str | None:
    """Say what a file is by its content when it is not delimited text, never by its name: 'a PDF document'; None for text."""
    start = content[:4096].lstrip()
    for signature, what in SIGNATURES:
        if start.startswith(signature):
            return what
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    if b"\x00" in content:
        return "a binary file (it contains NUL bytes)"
    words = start.removeprefix(b"\xef\xbb\xbf").decode("latin-1").lstrip()
    return next((what for beginning, what in BEGINNINGS if re.match(beginning, words, re.IGNORECASE)), None)


def opening_words(content: bytes, size: int = 4096) -> str:
    """Return the beginning of a file as text to recognise it by, whatever its encoding, without byte-order mark and leading blanks."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content[: 2 * size].decode("utf-16", errors="replace").lstrip()
    return content[:size].removeprefix(b"\xef\xbb\xbf").decode("latin-1").lstrip()


def decode(file: str, content: bytes, declared: str | None = None) -> tuple[str, str]:
    """Return the text of a file and its encoding: a byte-order mark, else UTF-8, else the likeliest of four code pages."""
    if declared:
        order = [declared]
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
        order = ["utf-16"]
    else:
        order = ["utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"]
    for encoding in order:
        try:
            return content.decode(encoding), encoding
        except (UnicodeDecodeError, LookupError) as error:
            if declared or encoding != "utf-8":
                raise UnreadableFile(file, f"the file is not {encoding} text ({error}).") from error
    pages = _pages_of_headings(content)
    if len(pages) == 1:
        return content.decode(pages[0], errors="replace"), pages[0]
    from charset_normalizer import from_bytes

    best = from_bytes(content, cp_isolation=pages).best()
    encoding = best.encoding if best is not None else "cp1252"
    return content.decode(encoding, errors="replace"), encoding


def _pages_of_headings(content: bytes) -> list[str]:
    """Return the code pages in which a file has most known headings: the four usual ones where it has none that tells."""
    start = content[:8192].rpartition(b"\n")[0]
    counts: dict[str, int] = {}
    for page in (*CODE_PAGES, *RARER_PAGES):
        try:
            words = re.split(r"[;\t|,\r\n]", start.decode(page))
        except UnicodeDecodeError:
            continue
        counts[page] = sum(max(lexicon.claims(word.strip(' "')).values(), default=0) > 500 for word in words if not word.isascii())
    most = max(counts.values(), default=0)
    fit = [page for page, count in counts.items() if count == most > 0]
    return [page for page in fit if page in CODE_PAGES] or fit or CODE_PAGES


def utf8(file: str, content: bytes, declared: str | None = None) -> tuple[bytes, str]:
    """Return the text of a file as UTF-8 bytes, and its encoding; a file that is UTF-8 is its own text, byte-order mark included."""
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")) and (declared or "utf-8").lower() in ("utf-8", "utf8") and _is_utf8(content):
        return content, declared or ("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8")
    text, encoding = decode(file, content, declared)
    return text.encode(errors="replace"), encoding


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = 1_000_000
    try:
        for start in range(0, len(content), size):
            decoder.decode(content[start : start + size], final=start + size >= len(content))
    except UnicodeDecodeError:
        return False
    return True
