"""Look-ups against servers that play the services: what they say, what they get wrong, and how they fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.servers import services
from tests.servers.playing import Answer, Played, play
from tests.servers.scholarly import Work, arxiv_feed, serve
from tests.servers.services import ARXIV, AUTHORS, DOI, TITLE, encoded

from inversion_atlas.intake.entry import Entry
from inversion_atlas.intake.lookup import LookUp, Services
from inversion_atlas.network.guard import Guard
from inversion_atlas.network.polite import Manners, Reader

CROSSREF = f"/crossref/works/{DOI}"
ARXIV_API = "/arxiv/api/query"


@pytest.fixture
def server() -> Iterator[Played]:
    with play() as played:
        yield played


@pytest.fixture
def look_up(server: Played) -> Iterator[LookUp]:
    base = server.base
    names = ("crossref", "datacite", "arxiv", "dblp", "openalex", "openreview", "openreview_old", "pages")
    played = Services(**{name: f"{base}/{name}" for name in names})
    manners = Manners(delay=0, delays={}, backoff=0.01, read_timeout=0.5, deadline=1.0, tries=2, max_bytes=200_000)
    with Reader(Guard(allow_private=True), manners, sleep=lambda _: None) as reader:
        yield LookUp(reader, played)


def codes(entry: Entry) -> list[str]:
    return [problem.code for problem in entry.problems]


@pytest.mark.parametrize(
    "thing", [DOI, f"https://doi.org/{DOI}", f"doi:{DOI}", f" DOI: {DOI}", f"http://dx.doi.org/{DOI}"]
)
def test_a_doi_is_asked_of_crossref(server: Played, look_up: LookUp, thing: str) -> None:
    server.answer(CROSSREF, encoded(services.CROSSREF))
    entry = look_up.thing(thing)
    assert entry.title == "Mending Leaky Gradients: with Sealing Wax & String"
    assert entry.authors == ("Müller, Jörg", "van der Berg, Anna", "The Wax Consortium")
    assert (entry.year, entry.volume, entry.issue, entry.pages) == (2029, "7", "2", "12–25")
    assert entry.venue == "Proceedings of the 41st ACM SIGSAC Conference on Computer and Communications Security"
    assert (entry.doi, entry.url) == (DOI, "")
    assert entry.abstract == "We seal gradients against a white-box adversary."
    assert entry.evidence == (f"https://doi.org/{DOI}",)
    assert not entry.problems


def test_a_doi_that_crossref_does_not_know_is_asked_of_datacite(server: Played, look_up: LookUp) -> None:
    server.answer("/datacite/dois/10.7777/xyz", encoded(services.DATACITE))
    entry = look_up.thing("10.7777/XYZ")
    assert (entry.title, entry.year, entry.doi) == (TITLE, 2029, "10.7777/xyz")
    assert entry.authors == ("Müller, Jörg", "The Wax Consortium")
    assert server.paths()[:2] == ["/crossref/works/10.7777/xyz", "/datacite/dois/10.7777/xyz"]


def test_a_doi_nobody_knows_is_refused_as_not_found(look_up: LookUp) -> None:
    entry = look_up.thing("10.9999/nothing")
    assert entry.refused
    assert codes(entry) == ["not-found"]


@pytest.mark.parametrize(
    "thing",
    [ARXIV, f"{ARXIV}v3", f"arXiv:{ARXIV}", f"https://arxiv.org/abs/{ARXIV}v2", f"http://arxiv.org/pdf/{ARXIV}.pdf",
     f"10.48550/arXiv.{ARXIV}", f"https://doi.org/10.48550/arXiv.{ARXIV}"],
)  # fmt: skip
def test_an_arxiv_id_is_asked_of_arxiv_without_its_version(server: Played, look_up: LookUp, thing: str) -> None:
    server.answer(ARXIV_API, services.ARXIV_FEED)
    entry = look_up.thing(thing)
    assert (entry.title, entry.authors, entry.year) == (TITLE, AUTHORS, 2029)
    assert (entry.arxiv, entry.doi, entry.venue, entry.preprint) == (ARXIV, DOI, "arXiv", True)
    assert entry.abstract == "We seal ℓ₂ gradients of a white-box model."
    assert entry.evidence == (f"https://arxiv.org/abs/{ARXIV}",)
    assert f"id_list={ARXIV}&" in server.paths()[0]


@pytest.mark.parametrize("answer", [services.ARXIV_ERROR, services.ARXIV_NOTHING])
def test_an_arxiv_id_that_is_not_there_is_not_found(server: Played, look_up: LookUp, answer: str) -> None:
    server.answer(ARXIV_API, answer)
    assert codes(look_up.thing(ARXIV)) == ["not-found"]


@pytest.mark.parametrize("end", ["", ".html", ".bib", "?view=bibtex"])
def test_an_address_at_dblp_is_asked_of_dblp(server: Played, look_up: LookUp, end: str) -> None:
    server.answer("/dblp/rec/conf/ccs/MullerBL29.xml", services.DBLP)
    entry = look_up.thing(f"https://dblp.org/rec/conf/ccs/MullerBL29{end}")
    assert (entry.title, entry.authors, entry.year, entry.venue) == (TITLE, AUTHORS, 2029, "CCS")
    assert (entry.doi, entry.pages, entry.issue) == (DOI, "12–25", "")


def test_openalex_fills_what_the_first_service_left_empty(server: Played, look_up: LookUp) -> None:
    message = {key: value for key, value in services.CROSSREF["message"].items() if key not in ("abstract", "subtitle")}
    server.answer(CROSSREF, encoded({"message": {**message, "title": [TITLE]}}))
    server.answer(f"/openalex/works/doi:{DOI}", encoded(services.OPENALEX))
    entry = look_up.thing(DOI)
    assert entry.abstract == "We seal gradients with wax."
    assert entry.pdf == "https://papers.example.org/wax.pdf"
    assert len(entry.authors) == 3
    assert len(entry.evidence) == 2


def test_openalex_is_not_believed_about_another_title(server: Played, look_up: LookUp) -> None:
    message = {key: value for key, value in services.CROSSREF["message"].items() if key != "abstract"}
    server.answer(CROSSREF, encoded({"message": message}))
    server.answer(f"/openalex/works/doi:{DOI}", encoded({**services.OPENALEX, "title": "Of cabbages and kings, again"}))
    assert look_up.thing(DOI).abstract == ""


def test_openreview_is_asked_in_both_versions_of_its_api(server: Played, look_up: LookUp) -> None:
    server.answer("/openreview/notes", encoded(services.OPENREVIEW))
    entry = look_up.thing("https://openreview.net/forum?id=aBcD1234")
    assert (entry.title, entry.authors, entry.year, entry.venue) == (TITLE, AUTHORS, 2029, "ICLR 2029")
    assert entry.url == "https://openreview.net/forum?id=aBcD1234"
    server.answer("/openreview/notes", encoded({"notes": []}))
    server.answer("/openreview_old/notes", encoded(services.OPENREVIEW_OLD))
    old = look_up.thing("https://openreview.net/pdf?id=aBcD1234")
    assert (old.title, old.authors, old.year) == (TITLE, ("Müller, Jörg", "Li, Bo"), 2020)
    assert codes(look_up.thing("https://openreview.net/group?id=../x")) == ["bad-thing"]


@pytest.mark.parametrize("path", ["2029.acl-long.1/", "2029.acl-long.1.pdf", "2029.acl-long.1", "2029.acl-long.1.bib"])
def test_the_acl_anthology_is_read_from_its_bibtex(server: Played, look_up: LookUp, path: str) -> None:
    server.answer("/pages/2029.acl-long.1.bib", services.ACL_BIB)
    entry = look_up.thing(f"https://aclanthology.org/{path}")
    assert (entry.title, entry.authors, entry.year, entry.pages) == (TITLE, AUTHORS, 2029, "1–16")


@pytest.mark.parametrize("folder", ["html", "papers"])
def test_cvf_is_read_from_the_bibtex_on_its_page(server: Played, look_up: LookUp, folder: str) -> None:
    server.answer("/pages/content/CVPR2029/html/Muller_Mending.html", services.CVF_PAGE)
    end = "html" if folder == "html" else "pdf"
    entry = look_up.thing(f"https://openaccess.thecvf.com/content/CVPR2029/{folder}/Muller_Mending.{end}")
    assert (entry.title, entry.authors, entry.year, entry.pages) == (TITLE, AUTHORS, 2029, "12–25")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://www.usenix.org/conference/sec29/presentation/muller", "/pages/conference/sec29/presentation/muller"),
        ("https://proceedings.mlr.press/v300/muller29a/muller29a.pdf", "/pages/v300/muller29a.html"),
        ("https://proceedings.neurips.cc/paper/2029/file/ab-Paper.pdf", "/pages/paper/2029/hash/ab-Abstract.html"),
    ],
)  # fmt: skip
def test_publishers_are_read_from_their_highwire_tags(server: Played, look_up: LookUp, address: str, path: str) -> None:
    server.answer(path, services.HIGHWIRE_PAGE)
    entry = look_up.thing(address)
    assert entry.title == f"{TITLE} & String"
    assert entry.authors == AUTHORS[:2]
    assert (entry.year, entry.pages) == (2029, "12–25")
    assert entry.venue == "38th USENIX Security Symposium (USENIX Security 29)"
    assert entry.pdf.endswith("/system/files/sec29-muller.pdf")
    assert entry.evidence == (address,)


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-8", "no-such-charset", ""])
def test_a_page_that_lies_about_its_encoding_is_read_all_the_same(
    server: Played, look_up: LookUp, charset: str
) -> None:
    body = services.HIGHWIRE_PAGE.replace('<meta charset="utf-8">', "").encode("latin-1")
    server.answer("/pages/x", Answer(body, headers={"Content-Type": f"text/html; charset={charset}"}))
    assert look_up.thing("https://www.usenix.org/x").authors == AUTHORS[:2]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html><body>Please wait", b"{", b"[]", b"null", b'{"message": null}', b'{"message": []}',
        b"\xff\xfe\x00",
        b'{"message": {"title": "x", "author": "y", "issued": 3}}', b"[" * 100_000, b'{"message": {"title": [{}]}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("thing", [DOI, ARXIV, "https://dblp.org/rec/conf/x/Y", "https://openreview.net/forum?id=aBcD",
                                   "https://www.usenix.org/x"])  # fmt: skip
def test_an_answer_that_is_not_what_it_says_is_refused_and_nothing_raises(
    server: Played, look_up: LookUp, body: bytes, thing: str
) -> None:
    lying = Answer(body, headers={"Content-Type": "application/json"})
    for path in (
        CROSSREF,
        ARXIV_API,
        "/dblp/rec/conf/x/Y.xml",
        "/openreview/notes",
        "/openreview_old/notes",
        "/pages/x",
    ):
        server.answer(path, replace(lying))
    entry = look_up.thing(thing).complete()
    assert entry.refused
    assert all(problem.message for problem in entry.problems)


def test_a_feed_with_entities_of_its_own_is_not_read(server: Played, look_up: LookUp) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><feed>&b;</feed>'
    for body in (bomb.encode(), bomb.encode("utf-16")):
        server.answer(ARXIV_API, body)
        assert codes(look_up.thing(ARXIV)) == ["look-up"]


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (Answer(status=503), "look-up", "server-error"),
        (Answer(status=429, headers={"Retry-After": "99999"}), "look-up", "try later"),
        (Answer(fault="reset"), "look-up", "broken-answer"),
        (Answer(fault="drip-body"), "look-up", "too-slow"),
        (Answer(fault="endless"), "look-up", "too-large"),
        (Answer(status=302, headers={"Location": CROSSREF}), "look-up", "redirect-loop"),
        (Answer(status=302, headers={"Location": "http://169.254.169.254/"}), "refused-address", "169.254.169.254"),
    ],
)
def test_a_service_that_fails_gives_one_clear_line(
    server: Played, look_up: LookUp, answer: Answer, code: str, said: str
) -> None:
    server.answer(CROSSREF, replace(answer))
    entry = look_up.thing(DOI)
    assert codes(entry) == [code]
    assert said in entry.problems[0].message
    assert server.base in entry.problems[0].message


@pytest.mark.parametrize("thing", ["", "nonsense", "10.1", "x.y", "ftp://a/b", "\0", "-", "🎉" * 100])
def test_what_is_no_identifier_is_refused(look_up: LookUp, thing: str) -> None:
    assert codes(look_up.thing(thing)) == ["bad-thing"]


FILED = Entry(title=TITLE, authors=("Müller, J.",), year=2029, arxiv=ARXIV, line=7, cut_off=True)


def test_an_entry_of_a_file_is_completed_and_its_own_words_hold(server: Played, look_up: LookUp) -> None:
    server.answer(ARXIV_API, services.ARXIV_FEED)
    entry = look_up.complete(replace(FILED, venue="CCS"))
    assert (entry.venue, entry.doi, entry.authors, entry.cut_off) == ("CCS", DOI, AUTHORS, False)
    assert entry.evidence == (f"https://arxiv.org/abs/{ARXIV}",)


def test_an_id_that_leads_to_another_title_is_reported_and_not_attached(server: Played, look_up: LookUp) -> None:
    server.answer(ARXIV_API, services.ARXIV_FEED)
    entry = look_up.complete(replace(FILED, title="Of cabbages and kings and walruses", authors=("Carroll, L.",)))
    assert entry.arxiv == ""
    assert entry.doi == ""
    assert [(problem.code, problem.line) for problem in entry.problems] == [("id-contradicts-title", 7)]
    assert TITLE in entry.problems[0].message


def test_an_entry_of_a_file_survives_a_service_that_is_down(server: Played, look_up: LookUp) -> None:
    server.answer(ARXIV_API, Answer(status=500))
    entry = look_up.complete(FILED)
    assert not entry.refused
    assert entry.arxiv == ARXIV
    assert codes(entry) == ["not-looked-up"]


def test_base_addresses_come_from_the_environment(monkeypatch: Any) -> None:
    monkeypatch.setenv("ATLAS_CROSSREF_URL", "http://127.0.0.1:9/")
    assert Services.from_environment().crossref == "http://127.0.0.1:9"
    assert Services.from_environment().arxiv == "https://export.arxiv.org"


MANY = [Work(f"Work {number} of Wax", arxiv=f"2901.{number:05d}", authors=("Jörg Müller",)) for number in range(1, 251)]


def test_many_arxiv_ids_are_asked_for_a_hundred_at_a_time(server: Played, look_up: LookUp) -> None:
    serve(server, MANY)
    for work in MANY:
        look_up.expect(work.arxiv)
    entries = [look_up.thing(work.arxiv) for work in MANY]
    assert [entry.title for entry in entries] == [work.title for work in MANY]
    assert entries[0].evidence == ("https://arxiv.org/abs/2901.00001",)
    assert len([path for path in server.paths() if path.startswith(ARXIV_API)]) == 3


def test_an_id_that_a_batch_lacks_is_asked_for_by_itself(server: Played, look_up: LookUp) -> None:
    serve(server, MANY[:2])
    for id in ("2901.00001", "2901.77777", "2901.00002"):
        look_up.expect(id)
    found = [look_up.thing(id) for id in ("2901.00001", "2901.77777", "2901.00002")]
    assert [codes(entry) for entry in found] == [[], ["not-found"], []]
    assert len([path for path in server.paths() if path.startswith(ARXIV_API)]) == 2


@pytest.mark.parametrize(
    ("first", "code", "asked"),
    [
        (Answer(b"<feed", times=1), [], 3),
        (Answer(status=400, times=1), [], 3),
        (Answer(services.ARXIV_ERROR.encode(), times=1), [], 3),
        (Answer(status=503), ["look-up"], 2),
        (Answer(fault="reset"), ["look-up"], 2),
    ],
)
def test_a_batch_that_fails_is_asked_singly_unless_the_service_is_down(
    server: Played, look_up: LookUp, first: Answer, code: list[str], asked: int
) -> None:
    server.answer(ARXIV_API, replace(first), Answer(lambda query: arxiv_feed(MANY, query)))
    look_up.expect("2901.00001")
    look_up.expect("2901.00002")
    assert [codes(look_up.thing(id)) for id in ("2901.00001", "2901.00002")] == [code, code]
    assert len([path for path in server.paths() if path.startswith(ARXIV_API)]) == asked
