"""The body of a request in, what it asks out; or one sentence for each field that is to be mended.

Knows nothing of what is done with it.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from .messages import Form
from .refusal import RefusedError

SHOWN = 60  # characters of what a client sent, in what it is told
PROBLEMS = 8  # in one answer
WORDS = {
    "recursion limit exceeded": "it is nested too deep",
    "number out of range": "a number has too many digits",
    "invalid unicode code point": "it is not UTF-8",
}
Asked = TypeVar("Asked", bound=Form)


async def read(request: Request, form: type[Asked]) -> Asked:
    """Return what a request asks.

    Raises:
        RefusedError: it is not JSON, or not of this form.
    """
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(
            400,
            f"the content type is {cut(kind) or 'missing'}, expected Content-Type: application/json",
            code="invalid_content_type",
        )
    body = await request.body()
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        first, *others = error.errors(include_url=False, include_context=False)
    if first["type"] == "json_invalid":
        raise RefusedError(400, f"the request is not JSON: {_in_words(first['msg'])}", code="invalid_json")
    sent = from_json(body)
    told = dict.fromkeys(_problem(form, sent, problem["loc"]) for problem in [first, *others][:PROBLEMS])
    param = cut(str(first["loc"][0])) if first["loc"] else None
    raise RefusedError(400, "; ".join(told), param, "invalid_value")


def shown(value: object) -> str:
    """Return a value as JSON, shortened."""
    return cut(json.dumps(value, ensure_ascii=False))


def cut(text: str) -> str:
    """Return a text, shortened."""
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _problem(form: type[Form], sent: Any, place: tuple[int | str, ...]) -> str:
    if not isinstance(sent, Mapping):
        return f"the request is {shown(sent)}, expected a JSON object"
    name = str(place[0])
    if name not in form.model_fields:
        return f"there is no field {shown(name)}, expected one of {', '.join(form.model_fields)}"
    found = f"is {shown(sent[name])}" if name in sent else "is missing"
    return f"{name} {found}, expected {form.model_fields[name].description}"


def _in_words(message: str) -> str:
    said = message.removeprefix("Invalid JSON: ")
    for theirs, ours in WORDS.items():
        said = said.replace(theirs, ours)
    return said
