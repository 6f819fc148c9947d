"""What a caller gives, in; one line about all that is of the wrong kind, out. Knows nothing of ranges."""

import os
from collections.abc import Callable, Collection, Iterable
from functools import wraps
from inspect import signature
from numbers import Integral, Real
from typing import ParamSpec, TypeVar

from elman.errors import RequestError

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def checked(method: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Let a method refuse arguments of the wrong kind, all in one line; a default is never wrong.

    Raises (the method that is returned):
        RequestError: some are.
    """
    expected = signature(method)

    @wraps(method)
    def call(*given: Given.args, **named: Given.kwargs) -> Answer:
        found = expected.bind(*given, **named).arguments
        refuse_wrong_kinds(
            (name, value) for name, value in found.items() if value is not expected.parameters[name].default
        )
        return method(*given, **named)

    return call


def refuse_wrong_kinds(given: Iterable[tuple[str, object]]) -> None:
    """Refuse values that are of the wrong kind for their names; a name that has no kind takes all.

    Raises:
        RequestError: some are; with all of them in one line.
    """
    problems = []
    for name, value in given:
        for kind, is_of, names in KINDS:
            if name in names and not is_of(value):
                problems.append(f"{name} is {repr(value)[:60]}, expected {kind}")
    if problems:
        raise RequestError("; ".join(problems))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return isinstance(value, str | os.PathLike)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _one_or_more(is_of: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: is_of(value) or (isinstance(value, Collection) and all(map(is_of, value)))


KINDS = (
    ("a text", _is_text, {"prompt", "text", "mark", "part", "encoding", "engine", "recipe"}),
    ("a text or a list of texts", _one_or_more(_is_text), {"stop", "forbid"}),
    ("a name or a list of names", _one_or_more(_is_name), {"texts"}),
    ("the name of a file or a folder", _is_name, {"folder", "file", "out"}),
    ("a whole number", _is_whole, {"length", "seed", "top_k", "characters", "tokens", "rows"}),
    ("a number", _is_number, {"temperature", "top_p", "min_p", "repetition_penalty"}),
    ("True or False", _is_switch, {"greedy", "allow_leak", "int8", "shared", "resume", "values"}),
)
