"""Whatever stands in a form: a proposal of one record or an answer, never an exception, and nothing that acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.github.harmless import acting

from inversion_atlas.catalogue import Catalogue, load
from inversion_atlas.github.forms import Answers, FormError, read_answers, read_forms
from inversion_atlas.github.proposal import FIELDS, Proposal, proposed
from inversion_atlas.intake.adding import Adding
from inversion_atlas.intake.entry import Entry, refused

ROOT = Path(__file__).resolve().parents[2]
FORMS = read_forms(ROOT)
TODAY = date(2026, 11, 21)
SCRAPS = st.sampled_from(
    ["@misc{a, title={", "}, author={Li, Bo}, year=2020}", "\n", "@octocat", "#12", "<b>", "`", "```", "\\", "{", "}",
     "é", "\u202e", "\0", "TI  - ", "https://a.example/x", "10.1234/x", "| a |", "- ", "![x](y)", "zhu2019deep", "2020"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(SCRAPS, max_size=12).map("".join))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    root = tmp_path_factory.mktemp("atlas")
    (root / "taxonomy").mkdir()
    (root / "data/papers/2019").mkdir(parents=True)
    record = 'title: Deep Leakage\nauthors: ["Zhu, Ligeng"]\nyear: 2019\nkind: attack\n'
    (root / "data/papers/2019/zhu2019deep.yaml").write_text(record)
    return load(root)


class Unknown:
    """Services that know nothing."""

    def later(self, thing: str) -> Callable[[], Entry]:
        return lambda: refused("not-found", f"{thing!r} is not known", origin=thing)

    def complete(self, entry: Entry) -> Entry:
        return entry

    def archived(self, entry: Entry, _: Adding) -> Entry:
        return entry


def outcome(catalogue: Catalogue, form: str, **values: str) -> Proposal | None:
    return proposed(12, Answers(form, values), catalogue, Unknown(), TODAY)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paper=TEXTS, kind=st.one_of(st.just("attack"), TEXTS), summary=TEXTS, code=TEXTS)
def test_any_paper(small: Catalogue, paper: str, kind: str, summary: str, code: str) -> None:
    made = outcome(small, "add-paper", paper=paper, kind=kind, summary=summary, code=code)
    assert made
    assert acting(made.reply) == []
    assert acting(made.body) == (["#12"] if made.path else [])
    assert not acting(made.title)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    record=st.one_of(st.just("zhu2019deep"), TEXTS),
    field=st.sampled_from([*FIELDS, "id", "x.y", ""]),
    value=TEXTS,
    page=TEXTS,
)
def test_any_fix(small: Catalogue, record: str, field: str, value: str, page: str) -> None:
    made = outcome(small, "fix-record", record=record, field=field, value=value, evidence=page)
    assert made
    assert acting(made.reply) == []
    assert made.path in ("", "data/papers/2019/zhu2019deep.yaml")
    assert acting(made.body) == (["#12"] if made.path else [])


@given(st.lists(st.one_of(TEXTS, st.sampled_from(["### Paper", "### Kind", "### Summary", "### Code", "### Record"]))))
def test_any_body(lines: list[str]) -> None:
    try:
        answers = read_answers("\n".join(lines), FORMS)
    except FormError:
        return
    assert answers is None or set(answers.values) in [set(form.fields.values()) for form in FORMS]
