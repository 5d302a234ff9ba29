"""A query as words of a command line: the shell took the quotes, and `-kind:survey` looks like options."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from inversion_atlas.query import CLAUSE_START

# One dash and more than one character: a clause that excludes, never a cluster of short options.
_EXCLUSION = re.compile(r"-[^-\s].+", re.DOTALL)


class FilterCommand(click.Command):
    """A command whose words are a query; `-kind:survey` among them excludes rather than being read as options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hand exclusions on as words, in their order, behind whatever else there is."""
        ctx.help_option_names = ["--help"]
        exclusions = [arg for arg in args if _EXCLUSION.fullmatch(arg)]
        if not exclusions:
            return super().parse_args(ctx, args)
        rest = [arg for arg in args if not _EXCLUSION.fullmatch(arg)]
        separator = [] if "--" in rest else ["--"]
        return super().parse_args(ctx, [*rest, *separator, *exclusions])


def filter_text(words: Sequence[str]) -> str:
    """Return the query that the words of a command line make: a word with a space in it is a phrase again."""
    return " ".join(map(_requote, words))


def _requote(word: str) -> str:
    if '"' in word or not any(char.isspace() for char in word):
        return word
    clause = CLAUSE_START.match(word)
    head = clause.group() if clause else "-" if word.startswith("-") else ""
    return f'{head}"{word[len(head) :]}"'
