"""Spellings of a paper's record that stand for one known thing each, and are written by one rule.

A term by its id instead of its label or alias, DOI and arXiv id bare, letters and accents as one (Unicode NFC).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TypeGuard

import yaml

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.records.fields import ARXIV, DOI
from inversion_atlas.records.folding import fold
from inversion_atlas.records.yamlfile import YamlError, compose, parse

TERMS, IDENTIFIERS, ACCENTS = "terms", "identifiers", "accents"
_DOI_BEFORE = re.compile(r"(?:https?://)?(?:dx\.|www\.)?doi\.org/|doi:\s*", re.IGNORECASE)
_ARXIV_BEFORE = re.compile(r"https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf)/|arxiv:\s*", re.IGNORECASE)
_ARXIV_AFTER = re.compile(r"(?:v[0-9]+)?(?:\.pdf)?$")
_Edit = tuple[yaml.ScalarNode, str, str]


def respelled(text: str, catalogue: Catalogue) -> tuple[str, tuple[str, ...]]:
    """Return the text of a paper's record with such spellings put right, and what was; raises YamlError."""
    plain = unicodedata.normalize("NFC", text)
    changes = [ACCENTS] if plain != text else []
    edits = list(_edits(compose(plain), catalogue))
    after = plain
    for node, value, _ in sorted(edits, key=lambda edit: -int(edit[0].start_mark.index)):
        after = after[: node.start_mark.index] + value + after[node.end_mark.index :]
    try:
        parse(after)
    except YamlError:
        return text, ()
    return after, tuple(dict.fromkeys([*changes, *(what for _, _, what in edits)]))


def _edits(root: yaml.Node, catalogue: Catalogue) -> Iterator[_Edit]:
    for key, value in _pairs(root):
        if key == "taxonomy":
            for facet, terms in _pairs(value):
                yield from _terms(terms, catalogue, facet)
        elif key == "links":
            for name, link in _pairs(value):
                yield from _identifier(name, link)


def _terms(terms: yaml.Node, catalogue: Catalogue, facet: str) -> Iterator[_Edit]:
    if facet not in catalogue.facets:
        return
    ids, spellings = catalogue.facets[facet].terms, catalogue.term_spellings[facet]
    for item in terms.value if isinstance(terms, yaml.SequenceNode) else ():
        if _on_one_line(item) and item.value not in ids and (id := spellings.get(fold(item.value))):
            yield item, id, TERMS


def _identifier(name: str, link: yaml.Node) -> Iterator[_Edit]:
    if not _on_one_line(link):
        return
    text = link.value.strip()
    if name == "doi":
        bare, pattern = _DOI_BEFORE.sub("", text, count=1), DOI
    elif name == "arxiv":
        bare, pattern = _ARXIV_AFTER.sub("", _ARXIV_BEFORE.sub("", text, count=1)), ARXIV
    else:
        return
    if bare != link.value and pattern.fullmatch(bare) and not pattern.fullmatch(link.value):
        yield link, f'"{bare}"', IDENTIFIERS


def _pairs(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            yield key.value, value


def _on_one_line(node: yaml.Node) -> TypeGuard[yaml.ScalarNode]:
    return (
        isinstance(node, yaml.ScalarNode)
        and node.style not in ("|", ">")
        and node.start_mark.line == node.end_mark.line
    )
