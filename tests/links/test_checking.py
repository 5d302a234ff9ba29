"""Links asked for real, on a farm that plays every way in which a link may answer."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.servers import farm as play
from tests.servers.farm import Farm, by_method, in_turn, serve, status, titled, to

from inversion_atlas.links.checking import Pace, Services, check_links
from inversion_atlas.links.state import Answer, Class
from inversion_atlas.network.guard import Guard

pytestmark = pytest.mark.usefixtures("own_loop")
QUICK = Pace(delay=0, timeout=1.0, longest_wait=2.0, contact="atlas@example.org")


@pytest.fixture
def farm() -> Iterator[Farm]:
    with serve() as found:
        yield found


def ask(
    *urls: str, pace: Pace = QUICK, guard: Guard | None = None, services: Services | None = None
) -> tuple[dict[str, Answer], list[str]]:
    answers: dict[str, Answer] = {}
    left = asyncio.run(
        check_links(urls, answers.__setitem__, guard or Guard(allow_private=True), pace, services or Services())
    )
    return answers, left


def one(farm: Farm, page: play.Reply, path: str = "/papers/x") -> Answer:
    farm.pages[path] = page
    answers, left = ask(farm.base + path)
    assert not left
    return answers[farm.base + path]


PLAIN = [
    ("well", status(200), Class.OK),
    ("file", status(200, b"%PDF-", content_type="application/pdf"), Class.OK),
    ("missing", status(404), Class.GONE),
    ("removed", status(410), Class.GONE),
    ("head refused", by_method(status(405), status(200)), Class.OK),
    ("head not implemented", by_method(status(501), status(200)), Class.OK),
    ("head forbidden", by_method(status(403), status(200)), Class.OK),
    ("head denies the page", by_method(status(404), status(200)), Class.OK),
    ("head hangs up", by_method(play.hang_up, status(200)), Class.OK),
    ("forbidden", status(403), Class.BLOCKED),
    ("unauthorized", status(401), Class.BLOCKED),
    ("linkedin", status(999), Class.BLOCKED),
    ("challenge", status(503, cf_mitigated="challenge"), Class.BLOCKED),
    ("wall with 200", titled("Just a moment..."), Class.BLOCKED),
    ("wall with 500", status(500, b"<title>Attention Required! | Cloudflare</title>"), Class.BLOCKED),
    ("server error", status(500), Class.SERVER_ERROR),
    ("bad gateway", status(502), Class.SERVER_ERROR),
    ("bad request", status(400), Class.CLIENT_ERROR),
    ("redirect to nowhere", status(302), Class.BROKEN_ANSWER),
    ("reset", play.reset, Class.BROKEN_ANSWER),
    ("garbage", play.garbage, Class.BROKEN_ANSWER),
    ("slow", play.late(3), Class.TIMEOUT),
    ("dripping headers", play.dripping_headers, Class.TIMEOUT),
    ("endless body", play.endless, Class.OK),
    ("soft 404", titled("404 Not Found"), Class.SOFT_404),
    ("soft 404 with the site", titled("Page not found &#183; GitLab"), Class.SOFT_404),
    ("soft 404 in words", titled("Oops! The requested page doesn’t exist. | Lab"), Class.SOFT_404),
    ("soft 404 in the heading", status(200, b"<title>Lab</title><h1 class='x'>Page <b>not</b> found</h1>"),
     Class.SOFT_404),
    ("a paper about it", titled("Not Found: Where Do Gradients Hide? 404 Ways"), Class.OK),
    ("no text", status(200, b""), Class.OK),
    ("odd charset", status(200, b"\xff\xfe", content_type="text/html; charset=undefined"), Class.OK),
]  # fmt: skip


@pytest.mark.parametrize(("page", "expected"), [case[1:] for case in PLAIN], ids=[case[0] for case in PLAIN])
def test_an_answer_has_its_class(farm: Farm, page: play.Reply, expected: Class) -> None:
    assert one(farm, page).kind is expected


def test_permanent_moves_are_told_from_passing_ones(farm: Farm) -> None:
    farm.pages |= {"/new/x": status(200), "/passing/x": to("/new/x", 302), "/login/x": to("/missing", 301)}
    assert one(farm, to("/new/x")) == Answer(Class.MOVED, farm.base + "/new/x")
    assert one(farm, to(farm.base + "/new/x", 308)).to == farm.base + "/new/x"
    assert one(farm, to("/new/x", 302)) == Answer(Class.OK)
    assert one(farm, to("/new/x", 307)) == Answer(Class.OK)
    assert one(farm, to("/passing/x")) == Answer(Class.MOVED, farm.base + "/passing/x"), "what passes is no address"
    assert one(farm, to("/login/x", 302)).kind is Class.GONE


def test_a_page_that_leads_to_the_front_page_is_gone(farm: Farm) -> None:
    farm.pages["/"] = status(200)
    assert one(farm, to("/", 302)).kind is Class.SOFT_404
    assert one(farm, to("/"), "/papers").kind is Class.MOVED


def test_redirects_without_end(farm: Farm) -> None:
    farm.pages["/a"] = to("/papers/x", 302)
    assert one(farm, to("/a", 302)).kind is Class.REDIRECT_LOOP
    assert one(farm, to("/papers/x", 302)).kind is Class.REDIRECT_LOOP
    farm.pages |= {f"/{at}": to(f"/{at + 1}", 302) for at in range(50)}
    farm.asked.clear()
    assert one(farm, to("/0", 302)).kind is Class.REDIRECT_LOOP
    assert len(farm.asked) < 15
    assert one(farm, to("/papers/x", 302, set_cookie="seen=1")).kind is Class.BLOCKED, "a browser gets through"


@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/latest/meta-data", "//169.254.1.1/", "http://[::ffff:169.254.169.254]/"]
)
def test_a_redirect_to_the_metadata_of_a_cloud_is_refused(farm: Farm, where: str) -> None:
    assert one(farm, to(where, 302)).kind is Class.REFUSED_ADDRESS


@pytest.mark.parametrize("where", ["ftp://host/x", "javascript:alert(1)", "http://["])
def test_a_redirect_to_no_web_address(farm: Farm, where: str) -> None:
    assert one(farm, to(where, 302)).kind is Class.BAD_ADDRESS


def test_private_addresses_are_refused_unless_allowed(farm: Farm) -> None:
    farm.pages["/x"] = status(200)
    urls = [f"{farm.base}/x", farm.base.replace("127.0.0.1", "localhost") + "/x", "http://10.0.0.1/", "http://[::1]/"]
    answers, _ = ask(*urls, guard=Guard())
    assert {answer.kind for answer in answers.values()} == {Class.REFUSED_ADDRESS}
    assert not farm.asked


def test_names_without_address_and_ports_without_server() -> None:
    with serve() as closed:
        base = closed.base
    answers, _ = ask("http://name.invalid/x", f"{base}/x")
    assert [answers[url].kind for url in ("http://name.invalid/x", f"{base}/x")] == [Class.DNS, Class.NO_CONNECTION]


def test_a_certificate_that_nobody_vouches_for(program: Callable[[str], str], tmp_path: Path) -> None:
    pem = tmp_path / "both.pem"
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "1", "-subj", "/CN=127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    pem.write_bytes((tmp_path / "key").read_bytes() + (tmp_path / "cert").read_bytes())
    with serve(certificate=pem) as farm:
        found = one(farm, status(200))
    assert (found.kind, found.said) == (Class.TLS, "self-signed certificate")


def test_who_asks_is_said(farm: Farm) -> None:
    one(farm, status(200))
    (agent,) = farm.agents
    assert agent.startswith("inversion-atlas/")
    assert "mailto:atlas@example.org" in agent


def test_a_server_is_asked_again_when_it_says_when(farm: Farm) -> None:
    started = time.monotonic()
    found = one(farm, in_turn(status(429, retry_after="1"), status(200)))
    assert found.kind is Class.OK
    assert time.monotonic() - started >= 1
    assert one(farm, in_turn(status(503, retry_after="0"), status(200))).kind is Class.OK


@pytest.mark.parametrize("code", [403, 429])
def test_the_rate_limit_of_github_is_kept(farm: Farm, code: int) -> None:
    soon = str(int(time.time()) + 2)
    spent = status(code, x_ratelimit_remaining="0", x_ratelimit_reset=soon)
    assert one(farm, in_turn(spent, status(200))).kind is Class.OK
    assert time.time() >= int(soon)
    farm.asked.clear()
    hour = str(int(time.time()) + 3600)
    farm.pages |= {f"/{at}": status(code, x_ratelimit_remaining="0", x_ratelimit_reset=hour) for at in range(5)}
    answers, left = ask(*(f"{farm.base}/{at}" for at in range(5)), pace=Pace(0, per_host=1, timeout=1, longest_wait=2))
    assert {answer.kind for answer in answers.values()} == {Class.BLOCKED}
    assert len(left) == 4
    assert len(farm.asked) <= 2


def test_a_host_and_all_hosts_are_asked_no_more_at_once_than_allowed() -> None:
    lock, now, most = threading.Lock(), dict.fromkeys(("127.0.0.4", "127.0.0.5", "all"), 0), {}

    def counting(host: str) -> play.Reply:
        def reply(visit: play.Visit) -> None:
            with lock:
                for each in (host, "all"):
                    now[each] += 1
                    most[each] = max(most.get(each, 0), now[each])
            time.sleep(0.05)
            with lock:
                for each in (host, "all"):
                    now[each] -= 1
            visit.send(200, content_type="image/png")

        return reply

    with serve("127.0.0.4") as one_host, serve("127.0.0.5") as other:
        for farm in (one_host, other):
            farm.pages |= {f"/{at}": counting(farm.host) for at in range(12)}
        urls = [f"{farm.base}/{at}" for farm in (one_host, other) for at in range(12)]
        ask(*urls, pace=Pace(delay=0, per_host=3, timeout=5))
        assert most == {"127.0.0.4": 3, "127.0.0.5": 3, "all": 6}
        most.clear()
        ask(*urls, pace=Pace(delay=0, per_host=3, at_once=2, timeout=5))
        assert most["all"] == 2


def test_a_host_that_wants_a_long_pause_is_left_alone(farm: Farm) -> None:
    farm.pages |= {f"/{at}": status(429, retry_after="3600") for at in range(9)}
    pace = Pace(delay=0, per_host=1, timeout=1, longest_wait=2)
    answers, left = ask(*(f"{farm.base}/{at}" for at in range(9)), pace=pace)
    assert {answer.kind for answer in answers.values()} == {Class.BLOCKED}
    assert len(farm.asked) == 1
    assert left == [f"{farm.base}/{at}" for at in range(1, 9)]


def test_a_host_is_asked_slowly_and_hosts_at_once() -> None:
    with serve("127.0.0.2") as one_host, serve("127.0.0.3") as other:
        for farm in (one_host, other):
            farm.pages |= {f"/{at}": status(200, content_type="image/png") for at in range(5)}
        answers, _ = ask(
            *(f"{farm.base}/{at}" for farm in (one_host, other) for at in range(5)), pace=Pace(delay=0.1, timeout=5)
        )
        assert {answer.kind for answer in answers.values()} == {Class.OK}
        for farm in (one_host, other):
            times = sorted(at for _, _, at in farm.asked)
            # The server's clock starts when a thread of it does, which may be late for the first of two.
            assert times[-1] - times[0] >= 0.3
        assert min(at for *_, at in other.asked) < max(at for *_, at in one_host.asked)


def test_the_words_of_a_page_are_read_only_where_they_matter(farm: Farm) -> None:
    one(farm, status(200, b"%PDF-", content_type="application/pdf"))
    assert farm.methods("/papers/x") == ["HEAD"]
    farm.asked.clear()
    one(farm, status(200))
    assert farm.methods("/papers/x") == ["HEAD", "GET"]


def test_a_doi_is_looked_up_and_its_publisher_not_asked(farm: Farm) -> None:
    known, unknown, odd = "10.1145/2810103.2813677", "10.1145/none", "10.1002/(SICI)1<1::AID>3.0.CO;2-E"
    farm.pages |= {
        f"/api/handles/{known}": status(200, b'{"responseCode":1,"handle":"x","values":[]}'),
        f"/api/handles/{unknown}": status(404, b'{"responseCode":100}'),
        "/api/handles/10.1002/%28SICI%291%3C1%3A%3AAID%3E3.0.CO%3B2-E": status(200, b'{"responseCode" : 1}'),
    }
    urls = [f"https://doi.org/{doi}" for doi in (known, unknown, odd)]
    answers, _ = ask(*urls, services=Services(handles=farm.base))
    assert [answers[url].kind for url in urls] == [Class.OK, Class.GONE, Class.OK]


def test_arxiv_pages_are_looked_up_in_batches(farm: Farm) -> None:
    ids = [f"1906.{at:05}" for at in range(8935, 9075)]
    entries = "".join(f"<entry><id>http://arxiv.org/abs/{id}v2</id></entry>" for id in ids)
    feed = status(200, f"<feed>{entries}</feed>".encode(), content_type="application/atom+xml")
    for batch in (ids[:100], ids[100:]):
        farm.pages[f"/api/query?max_results={len(batch)}&id_list={','.join(batch)}"] = feed
    forms = ("https://arxiv.org/abs/{}", "https://arxiv.org/pdf/{}.pdf", "http://www.arxiv.org/abs/{}v2")
    urls = [forms[at % 3].format(id) for at, id in enumerate(ids)]
    answers, _ = ask(*urls, services=Services(arxiv=farm.base))
    assert {answers[url].kind for url in urls} == {Class.OK}
    assert len(farm.asked) == 2
