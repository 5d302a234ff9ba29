"""How long 10,000 links over 500 hosts take, and whether every planted fault is found; LinkChecker beside it.

python benchmarks/links.py [--links 10000] [--hosts 500] [--linkchecker PATH] [--threads 100] [--save]

A process of its own plays the hosts on loopback: answers take 20 to 800 ms, and three links of a hundred fail, each
kind of failure in turn. Both programs ask as fast as they can, without pauses per host, and give up after the same
time. LinkChecker is not installed by the extras: `pip install linkchecker` somewhere, and name its program. It knows
fewer classes; what it calls an error is counted. Exit code 1 where a fault is classified wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import resource
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from inversion_atlas.links.checking import Pace, check_links
from inversion_atlas.links.state import Answer, Class
from inversion_atlas.network.guard import Guard

COMMITTED = Path(__file__).with_suffix(".json")
TIMEOUT = 10.0
# What is planted -> how it must be classified. The first seven are links that live.
KINDS = {
    "ok": Class.OK,
    "pdf": Class.OK,
    "moved": Class.MOVED,
    "passing": Class.OK,
    "head-refused": Class.OK,
    "endless": Class.OK,
    "busy": Class.OK,
    "gone": Class.GONE,
    "removed": Class.GONE,
    "error": Class.SERVER_ERROR,
    "soft": Class.SOFT_404,
    "wall": Class.BLOCKED,
    "limit": Class.BLOCKED,
    "reset": Class.BROKEN_ANSWER,
    "garbage": Class.BROKEN_ANSWER,
    "silent": Class.TIMEOUT,
    "drip": Class.TIMEOUT,
    "loop": Class.REDIRECT_LOOP,
    "metadata": Class.REFUSED_ADDRESS,
    "tls": Class.TLS,
    "dns": Class.DNS,
}
FAULTS = list(KINDS)[7:]
LIVES = ("ok", "ok", "ok", "ok", "pdf", "pdf", "moved", "passing", "head-refused", "endless", "busy")
PAGE = b"<!doctype html><title>A page</title><h1>A page</h1>" + b"<p>Words of it.</p>" * 400


def planted(links: int, hosts: int, port: int, tls_port: int) -> dict[str, str]:
    """Return address -> what is planted there; the same in every run."""
    chance = random.Random(5)
    found = {}
    for number in range(links):
        host = f"127.1.{number % hosts // 250}.{number % hosts % 250 + 1}"
        kind = FAULTS[number // 33 % len(FAULTS)] if number % 33 == 0 else chance.choice(LIVES)
        delay = chance.randint(20, 800)
        base = f"https://{host}:{tls_port}" if kind == "tls" else f"http://{host}:{port}"
        base = f"http://host{number}.invalid" if kind == "dns" else base
        found[f"{base}/{kind}/{delay}/{number}"] = kind
    return found


# The farm


async def farm(hosts: int, certificate: str) -> None:
    """Serve until the process is ended; prints the two ports."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    addresses = [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(hosts)]
    ports = []
    for tls in (None, context):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        await asyncio.start_server(_serve, addresses, port, ssl=tls, backlog=200)
        ports.append(port)
    print(*ports, flush=True)
    await asyncio.Event().wait()


_busy: set[str] = set()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        while await _reply(reader, writer):
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


async def _reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; return whether the connection goes on."""
    method, path, *_ = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split()
    _, kind, delay, *_ = [*path.split("/"), "", "20"]
    await asyncio.sleep(int(delay) / 1000 if delay.isdigit() else 0.02)
    head = method == "HEAD"
    match kind:
        case "pdf":
            return _send(writer, head, 200, b"%PDF-1.7", "Content-Type: application/pdf")
        case "moved" | "passing":
            return _send(writer, head, 301 if kind == "moved" else 302, b"", f"Location: {path.replace(kind, 'ok')}")
        case "head-refused" if head:
            return _send(writer, head, 405, b"")
        case "busy" if path not in _busy:
            _busy.add(path)
            return _send(writer, head, 429, b"", "Retry-After: 1")
        case "endless" if not head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n")
            while True:
                writer.write(PAGE)
                await writer.drain()
        case "gone" | "removed" | "error" | "wall":
            return _send(writer, head, {"gone": 404, "removed": 410, "error": 500, "wall": 403}[kind], PAGE)
        case "limit":
            return _send(writer, head, 999, b"")
        case "soft":
            return _send(writer, head, 200, b"<title>404 Not Found</title><p>There is no such page.</p>")
        case "reset":
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        case "garbage":
            writer.write(b"\x16\x03\x01 no HTTP\r\n\r\n")
            return False
        case "silent":
            await asyncio.sleep(120)
            return False
        case "drip":
            writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            for _ in range(600):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.2)
            return False
        case "loop":
            return _send(writer, head, 302, b"", f"Location: {path}")
        case "metadata":
            return _send(writer, head, 302, b"", "Location: http://169.254.169.254/latest/meta-data/")
        case _:
            return _send(writer, head, 200, PAGE)


def _send(writer: asyncio.StreamWriter, head: bool, status: int, body: bytes, *headers: str) -> bool:
    given = (
        headers
        if any(header.startswith("Content-Type") for header in headers)
        else ("Content-Type: text/html", *headers)
    )
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *given]
    writer.write("\r\n".join([*lines, "", ""]).encode() + (b"" if head else body))
    return True


# The two programs


def atlas(links: dict[str, str]) -> tuple[dict[str, float], list[str]]:
    """Ask with `atlas links check`'s own engine; return the figures and what was classified wrongly."""
    answers: dict[str, Answer] = {}
    times: dict[str, float] = {}

    def learn(url: str, answer: Answer) -> None:
        answers[url], times[url] = answer, time.monotonic() - started

    started, cpu = time.monotonic(), time.process_time()
    pace = Pace(delay=0, timeout=TIMEOUT, longest_wait=30)
    left = asyncio.run(check_links(links, learn, Guard(allow_private=True), pace))
    figures = {"seconds": round(time.monotonic() - started, 1), "cpu": round(time.process_time() - cpu, 1)}
    figures["peak MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    # The last ones wait for what never answers.
    figures["seconds for 99 %"] = round(sorted(times.values())[len(times) * 99 // 100], 1)
    wrong = [
        f"{url}: {answers.get(url, 'left')}"
        for url, kind in links.items()
        if url not in answers or answers[url].kind is not KINDS[kind]
    ]
    return {**figures, "wrong": len(wrong), "left": len(left)}, wrong


def linkchecker(program: str, links: dict[str, str], threads: int, folder: Path) -> dict[str, float]:
    """Ask with LinkChecker: a page that links everything, one step deep."""
    page = folder / "links.html"
    page.write_text("<title>Links</title>" + "".join(f'<a href="{url}">x</a>\n' for url in links))
    config = folder / "linkcheckerrc"
    config.write_text(
        f"[checking]\nthreads={threads}\ntimeout={TIMEOUT:.0f}\nrecursionlevel=1\nmaxrequestspersecond=1000\n"
        "robotstxt=0\nsslverify=1\n[filtering]\ncheckextern=1\n[output]\nstatus=0\nlog=csv\nverbose=1\n"
        "[csv]\nparts=urlname,result,valid\n"
    )
    started = time.monotonic()
    done = subprocess.run([program, "-f", config, page], capture_output=True, text=True, check=False)
    seconds = round(time.monotonic() - started, 1)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = [line.rsplit(";", 1)[-1].strip() for line in done.stdout.splitlines() if ";" in line]
    (folder / "linkchecker.csv").write_text(done.stdout + done.stderr)
    counts = Counter(said)
    return {"seconds": seconds, "cpu": round(usage.ru_utime + usage.ru_stime, 1), "errors": counts["False"],
            "valid": counts["True"]}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--links", type=int, default=10_000)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--linkchecker", help="LinkChecker's program")
    parser.add_argument("--threads", type=int, default=100, help="LinkChecker's")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--farm", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.farm:
        asyncio.run(farm(given.hosts, given.farm))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # LinkChecker gives up root's rights, and must still read its page.
        folder.chmod(0o755)
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "2", "-subj", "/CN=farm", "-keyout", "key.pem", "-out", "cert.pem"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        (folder / "both.pem").write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
        figures: dict[str, dict[str, float]] = {}
        wrong: list[str] = []
        for program in ["atlas", *(["LinkChecker"] if given.linkchecker else [])]:
            command = [sys.executable, __file__, "--hosts", str(given.hosts), "--farm", str(folder / "both.pem")]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
                try:
                    assert served.stdout
                    port, tls_port = map(int, served.stdout.readline().split())
                    links = planted(given.links, given.hosts, port, tls_port)
                    if program == "atlas":
                        figures[program], wrong = atlas(links)
                    else:
                        figures[program] = linkchecker(given.linkchecker, links, given.threads, folder)
                finally:
                    served.kill()
            print(program, json.dumps(figures[program]), flush=True)
    faults = sum(kind in FAULTS for kind in links.values())
    print(f"{len(links)} links, {given.hosts} hosts, {faults} faults planted")
    print(*wrong[:40], sep="\n")
    if given.save:
        about = {"links": given.links, "hosts": given.hosts, "faults": faults, "LinkChecker threads": given.threads}
        COMMITTED.write_text(json.dumps({**about, **figures}, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
