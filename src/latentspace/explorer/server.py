"""The explorer's server: files of the page and of its contents, and the labels; nothing else of the machine.

An address begins with a token that nobody else knows. Names are looked up, never joined to a path.
"""

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from secrets import compare_digest
from typing import Any, Final

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..core.errors import DataError, LatentspaceError
from .actions import Actions, Asked
from .contents import File
from .description import description

LARGEST: Final = 10_000_000  # bytes that a request may send: the numbers of a million images
LONGEST: Final = 200  # characters of a label
PAGE: Final = {
    "": ("index.html", "text/html; charset=utf-8"),
    "explorer.js": ("explorer.js", "text/javascript; charset=utf-8"),
    "worker.js": ("worker.js", "text/javascript; charset=utf-8"),
    "explorer.css": ("explorer.css", "text/css; charset=utf-8"),
    "runtime.wasm": ("runtime.wasm.gz", "application/wasm"),
}
POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuses what does not come from the page: another host, another origin, a wrong token, too much data.

    Args:
        hosts: what the header Host may say.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str]) -> None:
        self.app, self.token, self.hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is not None:
            await PlainTextResponse(refused[1], refused[0], HEADERS)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            return 421, "this server does not answer for that host"
        if headers.get("origin", f"http://{host}").lower() != f"http://{host}":
            return 403, "this server answers its own page alone"
        token = str(scope["path"]).split("/")[1:2]
        if not token or not compare_digest(token[0].encode(), self.token.encode()):
            return 403, "the address must be the one that `latentspace explore` printed, with its token"
        if (
            not headers.get("content-length", "0").isdecimal()
            or int(headers.get("content-length", "0")) > LARGEST
        ):
            return 413, f"a request may send {LARGEST:,} bytes"
        return None


def application(
    actions: Actions,
    token: str,
    hosts: frozenset[str],
    progress: Callable[[], Mapping[str, Any] | None] = lambda: None,
) -> ASGIApp:
    """The server as an ASGI application.

    Args:
        actions: what is shown, and what the page may ask for beside it.
        progress: how far a training has come; None: it has ended.
    """
    contents, labels = actions.contents, actions.labels

    async def page(request: Request) -> Response:
        return _sent(_of_page(request.path_params.get("name", "")), request)

    async def data(request: Request) -> Response:
        return _sent(await run_in_threadpool(contents().file, request.path_params["name"]), request)

    async def image(request: Request) -> Response:
        return _sent(await run_in_threadpool(contents().image, request.path_params["number"]), request)

    async def state(_: Request) -> Response:
        return JSONResponse({"version": contents().version, "progress": progress()}, headers=HEADERS)

    async def read_labels(_: Request) -> Response:
        return JSONResponse(await run_in_threadpool(labels.read), headers=HEADERS)

    async def change_labels(request: Request) -> Response:
        changes = _changes(await _body(request), set(contents().subject.images.names))
        if changes is None:
            return PlainTextResponse("labels are text by the name of an image of the set", 400, HEADERS)
        return JSONResponse(await run_in_threadpool(labels.change, changes), headers=HEADERS)

    answers = actions.answers()
    about = description({name: form for name, (form, _) in answers.items()}, LONGEST)

    async def described(_: Request) -> Response:
        return JSONResponse(about, headers=HEADERS)

    routes = [
        Route("/openapi.json", described),
        Route("/data/{name}", data),
        Route("/images/{number:int}", image),
        Route("/state", state),
        Route("/labels", read_labels),
        Route("/labels", change_labels, methods=["POST"]),
        *(
            Route(f"/{name}", _answering(form, answer), methods=["POST"])
            for name, (form, answer) in answers.items()
        ),
        Route("/", page),
        Route("/{name}", page),
    ]
    refusals = {DataError: _not_now, LatentspaceError: _refused, 404: _absent, 405: _absent}
    app = Starlette(exception_handlers=refusals)
    app.mount("/{token}", Starlette(routes=routes, exception_handlers=refusals))
    return Guard(app, token, hosts)


def _answering(
    form: type[Asked], answer: Callable[[Any], dict[str, Any] | File]
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that reads a body of that form, and sends what `answer` makes of it."""

    async def endpoint(request: Request) -> Response:
        try:
            asked = form.model_validate_json(await _body(request) or b"")
        except ValidationError:
            return PlainTextResponse("the page asks in another form", 400, HEADERS)
        found = await run_in_threadpool(answer, asked)
        return _sent(found, request) if isinstance(found, File) else JSONResponse(found, headers=HEADERS)

    return endpoint


@cache
def _of_page(name: str) -> File | None:
    if name not in PAGE:
        return None
    file, media_type = PAGE[name]
    return File(static(file), media_type)


def static(name: str) -> bytes:
    """A file of the built page."""
    return (files("latentspace.explorer") / "static" / name).read_bytes()


def _sent(file: File | None, request: Request) -> Response:
    if file is None:
        return PlainTextResponse("there is no such file", 404, HEADERS)
    headers = dict(HEADERS)
    content = file.content
    if content[:2] == b"\x1f\x8b":  # the runtime lies packed
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
    return Response(content, media_type=file.media_type, headers=headers)


async def _body(request: Request) -> bytes | None:
    """What was sent; None: too much."""
    parts: list[bytes] = []
    async for part in request.stream():
        parts.append(part)
        if sum(map(len, parts)) > LARGEST:
            return None
    return b"".join(parts)


def _changes(body: bytes | None, names: set[str]) -> dict[str, str] | None:
    """The labels of a request; None: it is none of the page's."""
    try:
        found = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not names.issuperset(found):
        return None
    if not all(isinstance(one, str) and len(one) <= LONGEST and one.isprintable() for one in found.values()):
        return None
    return found


async def _absent(_: Request, __: Exception) -> Response:
    return PlainTextResponse("there is no such file", 404, HEADERS)


async def _not_now(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 409, HEADERS)


async def _refused(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 500, HEADERS)
