"""What is secret in a URL, and text without it: the one place that knows.

A URL holds a password between its user name and its host, and secrets among its parameters.
"""

import re
from typing import Final

MASK: Final = "***"

_SECRET_PARAMETER = re.compile(r"pass(?!file)|pwd|secret|token|credential|odbc_connect|key$", re.IGNORECASE)
_PATHS = frozenset({"sslkey", "ssl_key"})  # files that hold a key, not the key
# From the colon after the user name to the last @ before the parameters: passwords hold @, / and ? unescaped.
_PASSWORD = re.compile(r"([a-z][a-z0-9+.\-]*:/{1,2}[^\s:/?#@]*:)[^@\n]*@(?:[^\s?]*@)?", re.IGNORECASE)
_PARAMETER = re.compile(r"([?&]([^\s=?&]+)=)(?!\*\*\*(?:[&\s]|$))[^&\n]*")


def is_secret(parameter: str) -> bool:
    """Whether the URL parameter of this name holds a secret, as `password` and `sslpassword` do."""
    return parameter.lower() not in _PATHS and _SECRET_PARAMETER.search(parameter) is not None


def masked(text: str) -> str:
    """`text` with `***` for each secret of the URLs in it."""
    if ":/" not in text:
        return text
    return _PARAMETER.sub(_masked_parameter, _PASSWORD.sub(rf"\1{MASK}@", text))


def _masked_parameter(found: re.Match[str]) -> str:
    return f"{found[1]}{MASK}" if is_secret(found[2]) else found[0]
