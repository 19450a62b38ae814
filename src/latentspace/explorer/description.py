"""The OpenAPI description of the explorer's server, which it serves as `openapi.json`."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

ALWAYS: Final = {
    "403": "a wrong token, or another origin",
    "413": "too many bytes",
    "421": "another host",
}
JSON: Final = "application/json"


def description(forms: Mapping[str, type[BaseModel]], longest: int) -> dict[str, Any]:
    """What the server answers below its token, as OpenAPI 3.1.

    Args:
        forms: by the name of what the page asks for, the body that it asks with.
        longest: characters of a label.
    """
    label = {"type": "string", "maxLength": longest}
    labels = {"type": "object", "additionalProperties": label}
    name = _parameter("name", {"type": "string"})
    number = _parameter("number", {"type": "integer", "minimum": 0})
    paths = {
        "/": _read("the page"),
        "/{name}": _read("a file of the page", name),
        "/data/{name}": _read("a file of what is shown", name),
        "/images/{number}": _read("an image", number),
        "/state": _read("what is shown now, and how far a training has come"),
        "/labels": {**_read("labels by the names of images"), **_asked("changes of them", labels)},
        **{
            f"/{one}": _asked((form.__doc__ or one).strip(), form.model_json_schema())
            for one, form in forms.items()
        },
    }
    return {"openapi": "3.1.0", "info": {"title": "latentspace explore", "version": "1"}, "paths": paths}


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _read(words: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    answers = _answers({"200": words, "404": "there is none", "409": "not yet"})
    return {"get": {"parameters": list(parameters), "responses": answers}}


def _asked(words: str, schema: dict[str, Any]) -> dict[str, Any]:
    body = {"required": True, "content": {JSON: {"schema": schema}}}
    answers = _answers(
        {"200": words, "400": "a body of another form", "409": "not yet, or not of these images"}
    )
    return {"post": {"requestBody": body, "responses": answers}}


def _answers(some: Mapping[str, str]) -> dict[str, Any]:
    return {code: {"description": words} for code, words in {**some, **ALWAYS}.items()}
