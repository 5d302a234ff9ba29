"""Shells: split at their slots, filled whole or not at all, each with a policy that allows what it holds."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from inversion_atlas.website.shells import RECORD, Shell, ShellError, parse

HEAD = '<html><head><meta charset="utf-8">\n@@atlas-policy@@\n@@atlas-head@@</head><body>'
RECORD_PAGE = (
    f"{HEAD}<title>@@atlas-title@@</title>@@atlas-description@@<p>@@atlas-body@@</p>@@atlas-stamp@@</body></html>"
)


def fill(shell: Shell, **values: str) -> str:
    return shell.fill({"head": "", "stamp": "", "title": "", "description": "", "body": "", **values})


def test_a_shell_is_filled_at_its_slots() -> None:
    html = fill(parse("papers/shell/", RECORD_PAGE), title="T", body="B")
    assert "<title>T</title>" in html
    assert "<p>B</p>" in html
    assert "@@" not in html


def test_a_slot_inside_a_value_stays_text() -> None:
    html = fill(parse("papers/shell/", RECORD_PAGE), title="@@atlas-body@@", body="{{ x }} {% raw %} @@atlas-title@@")
    assert "<title>@@atlas-body@@</title>" in html
    assert "<p>{{ x }} {% raw %} @@atlas-title@@</p>" in html


@pytest.mark.parametrize("slot", ["policy", "head", "stamp", *sorted(RECORD)])
def test_a_shell_of_records_without_a_slot_is_refused(slot: str) -> None:
    with pytest.raises(ShellError, match=f"no slot @@atlas-{slot}@@"):
        parse("papers/shell/", RECORD_PAGE.replace(f"@@atlas-{slot}@@", ""))


def test_a_slot_that_nothing_fills_is_refused() -> None:
    shell = parse("papers/shell/", RECORD_PAGE.replace("<p>", "<p>@@atlas-colour@@"))
    with pytest.raises(ShellError, match="@@atlas-colour@@, which nothing fills"):
        fill(shell)


def test_a_slot_used_twice_is_filled_twice() -> None:
    html = fill(parse("papers/shell/", RECORD_PAGE.replace("<p>", "<h1>@@atlas-title@@</h1><p>")), title="T")
    assert html.count("T</") == 2


def test_the_policy_follows_the_charset_and_allows_inline_scripts_by_hash_alone() -> None:
    script = "document.title = 'x'"
    html = fill(parse("", RECORD_PAGE.replace("<p>", f"<script>{script}</script><script src='a.js'></script><p>")))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'<meta charset="utf-8">\n<meta http-equiv="content-security-policy" content="([^"]*)">', html)
    assert policy
    assert f"script-src 'self' 'sha256-{digest}';" in policy[1]
    assert policy[1].startswith("default-src 'none'; ")
    assert "unsafe" not in policy[1]


def test_the_real_shells_hold_no_inline_script(shells: dict[str, Shell]) -> None:
    for shell in shells.values():
        assert "script-src 'self';" in shell.texts[0], shell.address


def test_the_real_shells_name_no_host_to_load_from(shells: dict[str, Shell]) -> None:
    for shell in shells.values():
        loaded = re.findall(r'<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)="([^"]*)"', "".join(shell.texts))
        assert loaded
        assert not [address for address in loaded if "//" in address], shell.address
