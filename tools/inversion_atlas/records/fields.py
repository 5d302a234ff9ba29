"""The kinds of value a record's field may hold, each refused with a message that says how to mend it."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

PAPER_ID = re.compile(r"[a-z]+[0-9]{4}[a-z0-9]+")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
TERM_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
DOI = re.compile(r"10\.[0-9]{4,9}/[^\s\"<>{}|\\^`]+")
ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+)", re.IGNORECASE)
ARXIV = re.compile(r"[0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7}")
# Embedding, override and isolate controls can make a line read differently from what it holds.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# The last two end a line for YAML and for nobody else.
INVISIBLE = frozenset("\u200b\u2060\ufeff\u2028\u2029")


class Record(BaseModel):
    """Base of every record: read-only, and a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _text(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("empty-text", "the text is empty; remove the key or fill it")
    if value != value.strip():
        raise PydanticCustomError("stray-space", "remove the space before or after the text")
    if value.isascii() and value.isprintable():
        return value
    for char in value:
        if char in BIDI_CONTROLS or char in INVISIBLE or (char != "\n" and unicodedata.category(char) in ("Cc", "Cs")):
            raise PydanticCustomError(
                "hidden-character", "remove the hidden character {char}", {"char": f"U+{ord(char):04X}"}
            )
    if unicodedata.normalize("NFC", value) != value:
        raise PydanticCustomError("not-nfc", "letters and accents are stored apart; write them as one (Unicode NFC)")
    return value


def _line(value: str) -> str:
    if "\n" in _text(value):
        raise PydanticCustomError("line-break", "write this on one line")
    return value


def _matching(pattern: re.Pattern[str], code: str, message: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise PydanticCustomError(code, message)
        return value

    return AfterValidator(check)


def _shown_as(pattern: re.Pattern[str]) -> WithJsonSchema:
    # ECMA regular expressions, which editors use, know no escaped quotation mark.
    plain = pattern.pattern.replace('\\"', '"')
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{plain})$"})


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise PydanticCustomError("bad-url", "this is no web address; copy it again from the browser") from None
    if parts.scheme not in ("http", "https"):
        raise PydanticCustomError("unsafe-url", "a link starts with https:// (or http://)")
    if not parts.hostname or re.search(r"[\s\"'<>\\^`{|}]", value) or len(value) > 2000:
        raise PydanticCustomError("bad-url", "this is no web address; copy it again from the browser")
    if parts.username or parts.password:
        raise PydanticCustomError("url-credentials", "remove the user name and password from the address")
    return value


def _digits(value: Any) -> Any:
    """Accept what YAML shows as a plain whole number, and nothing that merely converts to one."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise PydanticCustomError("not-a-number", "write a whole number, such as 2019")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?", value):
        raise PydanticCustomError("not-a-number", "write a number, such as 0.93")
    return value


def _bound(value: Any) -> Any:
    return value if value in ("inf", "-inf") else _number(value)


def _no_nan(value: float) -> float:
    if value != value:
        raise PydanticCustomError("not-a-number", "write a number, such as 0.93")
    return value


def _day(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise PydanticCustomError("not-a-day", "write year, month and day: 2024-05-31")
    return value


def _boolean(value: Any) -> Any:
    if isinstance(value, str) and value not in ("true", "false"):
        raise PydanticCustomError("not-true-or-false", "write true or false")
    return value


Text = Annotated[str, AfterValidator(_text)]
Line = Annotated[str, AfterValidator(_line)]
Url = Annotated[
    str,
    AfterValidator(_line),
    AfterValidator(_url),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"}),
]
Whole = Annotated[int, BeforeValidator(_digits)]
Year = Annotated[Whole, Field(ge=1000, le=9999)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Bound = Annotated[
    float,
    BeforeValidator(_bound),
    AfterValidator(_no_nan),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf"]}]}),
]
Day = Annotated[date, BeforeValidator(_day)]
Flag = Annotated[bool, BeforeValidator(_boolean)]
PaperId = Annotated[
    str,
    _matching(PAPER_ID, "bad-paper-id", "a paper's id is family name, year and a title word: zhu2019deep"),
    _shown_as(PAPER_ID),
]
Slug = Annotated[
    str, _matching(SLUG, "bad-id", "an id is lower-case ASCII words joined by hyphens: cifar-10"), _shown_as(SLUG)
]
TermId = Annotated[
    str,
    _matching(TERM_ID, "bad-term-id", "a term is lower-case ASCII words joined by hyphens or dots: white-box"),
    _shown_as(TERM_ID),
]
Doi = Annotated[
    str,
    _matching(DOI, "bad-doi", "write the bare DOI, starting with 10. and a slash after the prefix: 10.1145/3616855"),
    _shown_as(DOI),
]
ArxivId = Annotated[
    str,
    _matching(ARXIV, "bad-arxiv-id", "write the bare arXiv id without version: 1906.08935"),
    _shown_as(ARXIV),
]
