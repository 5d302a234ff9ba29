"""What pydantic found wrong with a record, said so that its author can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel

# What to write where pydantic says which Python type it wants.
_HINTS = {
    "string_type": "write text",
    "tuple_type": "write a list: [one, two]",
    "dict_type": "write `key: value` lines below it",
    "model_type": "write `key: value` lines below it",
    "model_attributes_type": "write `key: value` lines below it",
    "too_short": "fill the list",
    "too_long": "shorten the list",
}


def describe(detail: Any, model: type[BaseModel]) -> tuple[str, str, str]:
    """Return code, message and hint for one entry of `ValidationError.errors()` raised by `model`."""
    kind, loc = detail["type"], detail["loc"]
    key = ".".join(_key(part) for part in loc) or "the record"
    match kind:
        case "missing":
            return "missing-key", f"the key `{key}` is missing", "add it"
        case "extra_forbidden":
            known = list(_model_at(model, loc[:-1]).model_fields)
            return "unknown-key", f"`{key}` is no key of this record", did_you_mean(str(loc[-1]), known)
        case "enum":
            allowed = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            return "unknown-value", f"`{key}` is {shown(detail['input'])}", did_you_mean(str(detail["input"]), allowed)
    code = kind if "-" in kind else "bad-value"
    return code, f"`{key}` is {shown(detail['input'])}", _HINTS.get(kind) or detail["msg"].replace("Input", "it", 1)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known word, or all of them if none is near."""
    known = list(known)
    near = difflib.get_close_matches(word[:80].lower(), known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"known are {listed}" if known else "there are none yet"


def shown(value: object) -> str:
    """Return `value` as a message shows it: one line, at most 60 characters, control characters escaped."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[0]


def _key(part: str | int) -> str:
    text = str(part)
    return text if text.isprintable() and len(text) <= 40 else shown(text)


def _model_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel]:
    for key in loc:
        if isinstance(key, str) and key in model.model_fields:
            model = _inner_model(model.model_fields[key].annotation) or model
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner_model(part))), None)
