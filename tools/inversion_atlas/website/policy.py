"""The Content-Security-Policy of a page: nothing from another host, no script but the theme's and our own files."""

from __future__ import annotations

import base64
import hashlib
import re

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_DIRECTIVES = (
    "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'"
)


def policy_tag(html: str) -> str:
    """Return the meta tag that allows the inline scripts standing in `html`, and no others."""
    hashes = dict.fromkeys(
        _hash(script) for attributes, script in _SCRIPT.findall(html) if not re.search(r"\b(src|type)=", attributes)
    )
    directives = _DIRECTIVES.format(scripts=" ".join(("'self'", *hashes)))
    return f'<meta http-equiv="content-security-policy" content="{directives}">'


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
