"""One file that holds the explorer whole: the page, its scripts, the networks and the images."""

import base64
import gzip
import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Final

from ..core.errors import LatentspaceError
from ..core.progress import told
from .compact import compact, without_shared
from .contents import Contents
from .server import static

logger = logging.getLogger(__name__)

DECODER: Final = "decoder.onnx"
ENCODER: Final = "encoder.onnx"
PACKED: Final = b"\x1f\x8b"  # how gzip begins
POLICY: Final = (
    "default-src 'none'; script-src '{script}' 'wasm-unsafe-eval'; worker-src blob:; style-src '{style}'; "
    "img-src blob: data:; connect-src 'none'; base-uri 'none'; form-action 'none'"
)


def page(contents: Contents) -> bytes:
    """The file: it needs no network, and its policy allows it none.

    Its networks have weights of 8 bits, and its pictures are as `contents` has them.
    """
    html = static("index.html").decode()
    script = static("explorer.js").decode().replace("</script", "<\\/script")
    style = static("explorer.css").decode()
    policy = POLICY.format(script=_hash(script), style=_hash(style))
    held = [_held("worker.js", static("worker.js")), _held("runtime.wasm", static("runtime.wasm.gz"))]
    networks: dict[str, bytes] = {}
    for name in told(contents.names, "files packed"):
        try:
            file = contents.file(name)
        except LatentspaceError as error:
            logger.warning("left out: %s (%s; found: %s)", name, error.must, error.found)
            continue
        if file is not None:
            content = file.content
            if name.endswith(".onnx"):
                content = networks[name] = compact(content)
            held.append(
                _held(name, content) if name != ENCODER or DECODER not in networks else _sharing(networks)
            )
    for mark, put in (
        ("<!--policy-->", f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        ('<link rel="stylesheet" href="explorer.css">', f"<style>{style}</style>"),
        ("<!--files-->", "\n".join(held)),
        ('<script src="explorer.js" defer></script>', f"<script>{script}</script>"),
    ):
        before, found, after = html.partition(mark)
        if not found:
            raise ValueError(f"index.html must hold {mark}")
        html = before + put + after
    return html.encode()


def _sharing(networks: Mapping[str, bytes]) -> str:
    """The encoder, without weights that the decoder has: one that corrects codes holds them all."""
    own, places = without_shared(networks[ENCODER], networks[DECODER])
    return _held(ENCODER, own, f' data-from="{DECODER}" data-pieces="{json.dumps(places)}"')


def _held(name: str, content: bytes, more: str = "") -> str:
    """A file as an element of the page, packed where that makes it smaller; `more`: attributes."""
    packed = content if content.startswith(PACKED) else gzip.compress(content, 9, mtime=0)
    smaller = content.startswith(PACKED) or len(packed) < len(content)
    text = base64.b64encode(packed if smaller else content).decode()
    kind = ' data-packed="gzip"' if smaller else ""
    return f'<script type="application/octet-stream" id="file:{name}"{kind}{more}>{text}</script>'


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
