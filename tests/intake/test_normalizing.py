"""LaTeX, names, identifiers and venues as bibliographies write them, brought to what records hold."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion_atlas.catalogue import Catalogue
from inversion_atlas.exports import tex
from inversion_atlas.intake import identifiers, names
from inversion_atlas.intake.latex import from_markup, to_unicode
from inversion_atlas.intake.venues import find_venue


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"G{\"o}del, {G}\"odel, G\"{o}del, G{\"{o}}del", "Gödel, Gödel, Gödel, Gödel"),
        (r"\'{\i} \'\i{} {\'{\i}} \u{g} \H{o} \c{c} \v{S} \r{a} \k{e} \.z \=a", "í í í ğ ő ç Š å ę ż ā"),
        (r"\~{\^e} \d{o} {\textcommabelow{s}}", "ễ ọ ș"),
        (r"{\o} {\O} {\ss} {\ae} {\aa} {\l} \L{}ukasz {\dj}", "ø Ø ß æ å ł Łukasz đ"),
        (r"{D}eep {L}eakage from {{G}}radients", "Deep Leakage from Gradients"),
        (r"A \& B, 50% of 10\% \_ \# \$", "A & B, 50% of 10% _ # $"),
        (r"$\ell_2$, $x^{2}$, $\epsilon$-DP, {$\alpha$}, $\mathbb{R}^n$", "ℓ₂, x², ϵ-DP, α, Rⁿ"),
        (r"a -- b --- c ``d'' `e' f~g\,h", "a – b — c “d” ‘e' f g h"),
        (r"\emph{It} \textsc{is} {\em so} \url{http://x.y/a_b}", "It is so http://x.y/a_b"),
        (r"\href{http://x}{Title} \texorpdfstring{$x$}{y} \LaTeX", "Title y LaTeX"),
        (r"\unknown{kept} and \other too", "unknownkept and other too"),
        ("&amp; &#228; &eacute; \\&amp; &amp;amp; &bogus;", "& ä é & & &bogus;"),
        ("}{ {{ unbalanced \\", "unbalanced"),
        ("Tab\tand\nline\u200b\u202e end", "Tab and line end"),
        ("e\u0301 a\u0308", "é ä"),
    ],
)
def test_latex_and_entities_become_text(latex: str, text: str) -> None:
    assert to_unicode(latex) == text


def test_every_letter_that_the_exports_write_is_read() -> None:
    # Some pairs look alike to LaTeX: quotes, dashes, spaces, and Greek capitals that are Latin ones.
    alike = set("‘’ʻʼ‐‑‒―\u00a0\u202fΑΒΕΖΗΙΚΜΝΟΡΤΧο−⋆★′″µ∆")
    for char in {*tex.LETTERS, *tex.SIGNS, *tex.PUNCTUATION, *tex.ALONE} - alike:
        assert to_unicode(tex.escape(char)) == char
        assert to_unicode(f"a{tex.escape(char)}b") == f"a{char}b"
        assert to_unicode(tex.escape(f"a{char} b")) == f"a{char} b"


def test_markup_of_services_becomes_text() -> None:
    assert from_markup("A <i>b</i> &lt;c&gt; <jats:p>d</jats:p> 1 < 2") == "A b d 1 < 2"
    assert from_markup("x<sub>2</sub> <mml:math><mml:mi>y</mml:mi></mml:math>") == "x2 y"


@given(st.text() | st.text(alphabet="\\{}$^_'\"`~&;a1 "))
def test_nothing_makes_the_reader_of_latex_raise(text: str) -> None:
    read = to_unicode(text)
    assert read == read.strip()
    assert "\n" not in read


@given(
    st.text(
        alphabet=st.characters(categories=("L", "N"), max_codepoint=0x17F, exclude_characters="ŉſĿŀĸĲĳ²³¹µªºŦŧĦħ¼½¾"),
        min_size=1,
    )
)
def test_what_is_escaped_is_read_back(text: str) -> None:
    assert to_unicode(tex.escape(text)) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Ligeng Zhu and Liu, Zhijian AND Song Han", ["Zhu, Ligeng", "Liu, Zhijian", "Han, Song"]),
        ("Laurens van der Maaten and Ludwig {van Beethoven} and {van Gogh}, V.",
         ["van der Maaten, Laurens", "van Beethoven, Ludwig", "van Gogh, V."]),
        ("de la Cruz, Jr., Juan and Martin Luther King Jr.", ["de la Cruz, Juan, Jr.", "King, Martin Luther, Jr."]),
        ("Jean-Pierre {\\'E}. de La Fontaine", ["de La Fontaine, Jean-Pierre É."]),
        ("{Google Research} and {Barnes and Noble}", ["Google Research", "Barnes and Noble"]),
        ("Ligeng Zhu, Zhijian Liu, Song Han", ["Zhu, Ligeng", "Liu, Zhijian", "Han, Song"]),
        ("Zhu, L., Liu, Z., Han, S.", ["Zhu, L.", "Liu, Z.", "Han, S."]),
        ("A. Bee, C. Dee, and E. Eff", ["Bee, A.", "Dee, C.", "Eff, E."]),
        ("Zhu, L.; Liu, Z.", ["Zhu, L.", "Liu, Z."]),
        ("Zhu L. and Liu Z.", ["Zhu, L.", "Liu, Z."]),
        ("王伟 and 李, 娜", ["王伟", "李, 娜"]),
        ("Plato", ["Plato"]),
        ("and and A B and", ["B, A"]),
        ("A B,", ["B, A"]),
        ("Weinan E", ["E, Weinan"]),
        ("{\\O}yvind M. Dahl and Erd{\\H o}s, P{\\'a}l", ["Dahl, Øyvind M.", "Erdős, Pál"]),
    ],
)  # fmt: skip
def test_names_become_family_and_given(field: str, expected: list[str]) -> None:
    assert list(names.read_bibtex(field)[0]) == expected


@pytest.mark.parametrize(
    "field",
    [
        "Zhu, L. and others",
        "Zhu, L. et al.",
        "Zhu, L., et al.",
        "Zhu, L. and et al",
        "Zhu, L.; others",
        "Zhu, L. and {others}",
    ],
)
def test_et_al_is_nobody_and_is_said(field: str) -> None:
    people, cut_off, problems = names.read_bibtex(field, 3)
    assert people == ("Zhu, L.",)
    assert cut_off
    assert ("et-al", 3) in [(problem.code, problem.line) for problem in problems]
    assert names.read_list(["Zhu, L.", "et al."])[0] == ("Zhu, L.",)


def test_what_may_be_one_author_or_two_is_said() -> None:
    people, _, problems = names.read_bibtex("Ligeng Zhu, Song Han")
    assert people == ("Ligeng Zhu, Song Han",)
    assert [problem.code for problem in problems] == ["ambiguous-author"]
    assert names.read_bibtex("García Márquez, G. and van der Berg, Jan Piet")[2] == []


@given(st.text() | st.text(alphabet="AaBb., {}\\;~-", max_size=60))
def test_nothing_makes_the_reader_of_names_raise(field: str) -> None:
    people, _, _ = names.read_bibtex(field)
    assert all(any(map(str.isalpha, name)) and name == name.strip() for name in people)
    # What a record holds is read from a list as it stands.
    plain = tuple(name for name in people if not set(name) & set("{}\\"))
    assert names.read_list(plain, parted=True)[0] == plain


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1145/3616855", "10.1145/3616855"), ("doi:10.1109/SP.2019.00065", "10.1109/sp.2019.00065"),
        ("https://doi.org/10.1145%2F3616855", "10.1145/3616855"), ("DOI 10.1145/3616855.", "10.1145/3616855"),
        ("10.1007/978-3-319-10\\_1", "10.1007/978-3-319-10_1"), ("{10.1145/3616855}", "10.1145/3616855"),
        ("10.1002/(SICI)1097-0258(1998)17", "10.1002/(sici)1097-0258(1998)17"),
        ("10.48550/arXiv.cs.CR/0601001", "10.48550/arXiv.cs.CR/0601001"),
        ("(see 10.1145/3616855)", "10.1145/3616855"),
        ("11.1145/3616855", ""), ("10.1/x", ""), ("", ""),
    ],
)  # fmt: skip
def test_dois(text: str, doi: str) -> None:
    assert identifiers.read_doi(text) == doi


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("1906.08935v12", "1906.08935"), ("arXiv:1906.08935", "1906.08935"), ("ARXIV: 1906.08935", "1906.08935"),
        ("https://www.arxiv.org/abs/hep-th/9901001v2", "hep-th/9901001"), ("cs.CR/0601001", "cs.CR/0601001"),
        ("http://arxiv.org/pdf/1906.08935v3.pdf", "1906.08935"), ("arXiv preprint arXiv:1906.08935", "1906.08935"),
        ("CoRR abs/1906.08935", "1906.08935"), ("1906.089351", ""), ("19060.8935", ""), ("a b", ""), ("", ""),
        ("10.1109/1906.08935", ""),
    ],
)  # fmt: skip
def test_arxiv_ids(text: str, id: str) -> None:
    assert identifiers.read_arxiv(text) == id


@pytest.mark.parametrize(
    ("text", "pages"),
    [("12--19", "12–19"), ("12-19", "12–19"), ("12 – 19", "12–19"), ("pp. 1-2, 5--6", "1–2, 5–6"), ("e123", "e123"),
     ("7-1--7-9", "7-1–7-9"), ("7-1-7-9", "7-1-7-9"), ("--", ""), ("", "")],
)  # fmt: skip
def test_pages(text: str, pages: str) -> None:
    assert identifiers.read_pages(text) == pages


@pytest.mark.parametrize(("text", "year"), [("2019", 2019), ("2019-05-01", 2019), ("c2019", 2019), ("May, 2019", 2019),
                                            ("12019", None), ("in press", None), ("", None), ("99", None)])  # fmt: skip
def test_years(text: str, year: int | None) -> None:
    assert identifiers.read_year(text) == year


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Proceedings of the 36th International Conference on Machine Learning", "icml"),
        ("Advances in Neural Information Processing Systems 32 (NeurIPS 2019)", "neurips"),
        ("2021 IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)", "cvpr"),
        ("CVPR 2020", "cvpr"), ("CVPR Workshops", "cvpr-workshops"), ("CCS '15", "ccs"), ("CoRR", "arxiv"),
        ("Proc. of the 22nd ACM SIGSAC Conference on Computer and Communications Security", "ccs"),
        ("arXiv preprint arXiv:1906.08935", "arxiv"),
        ("30th USENIX Security Symposium (USENIX Security 21)", "usenix-security"),
        ("Thirty-Fourth AAAI Conference on Artificial Intelligence", "aaai"), ("Computer Vision - ECCV 2020", "eccv"),
        ("2019 IEEE Symposium on Security and Privacy (SP)", "ieee-sp"), ("A venue nobody knows", ""), ("", ""),
        ("Proceedings of the 5th Workshop on Something at ICML", ""),
        ("IEEE Trans. Inf. Forensics Secur.", "tifs"), ("ACM Comput. Surv.", "csur"),
        ("Proc. Priv. Enhancing Technol. 2022", "popets"), ("Comput. Secur.", "computers-and-security"),
        ("Workshop on Trans. Inf. Forensics Secur.", ""), ("IEEE Trans. .", ""), ("a. b. c.", ""),
        ("ACM Conference on Computer and Communications Security", "ccs"),
        ("Thirty-fourth Conference on Neural Information Processing Systems", "neurips"),
        ("2019", ""), ("Proceedings", ""), ("Security", ""),
    ],
)  # fmt: skip
def test_venues(catalogue: Catalogue, text: str, key: str) -> None:
    assert find_venue(text, catalogue) == key


def test_every_name_of_a_venue_is_known(catalogue: Catalogue) -> None:
    for venue in catalogue.venues.values():
        assert find_venue(venue.name, catalogue) == venue.id
        assert find_venue(f"{venue.name} 2021", catalogue) == venue.id


def test_long_junk_is_read_in_no_time(catalogue: Catalogue) -> None:
    before = time.process_time()
    find_venue("(" * 20_000 + "a, " * 20_000, catalogue)
    names.read_bibtex("A.-" * 50_000)
    assert time.process_time() - before < 60
