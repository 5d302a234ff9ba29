"""A server on loopback that plays GitHub for one repository, by its documentation: it remembers what it is told."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

BOT = "github-actions[bot]"
TOKEN = "a-token-of-a-workflow"


@dataclass
class Playing:
    """What the repository `atlas/atlas` holds; commits are a digest of what they hold."""

    base: str = ""
    storage: str = ""
    refs: dict[str, str] = field(default_factory=lambda: {"main": "a" * 40})
    commits: dict[str, dict[str, Any]] = field(default_factory=lambda: {"a" * 40: {"tree": "0" * 40, "parents": []}})
    trees: dict[str, dict[str, str]] = field(default_factory=lambda: {"0" * 40: {"README.md": "# Atlas"}})
    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    artifacts: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    packed: dict[int, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False
    storage_saw: list[str | None] = field(default_factory=list)

    def say(self, number: int, login: str, body: str) -> None:
        """Let somebody comment."""
        new = {"id": 1000 + sum(map(len, self.comments.values())), "user": {"login": login}, "body": body}
        self.comments.setdefault(number, []).append(new)

    def said(self, number: int) -> list[str]:
        """Return the comments on an issue or pull request."""
        return [comment["body"] for comment in self.comments.get(number, [])]

    def files(self, branch: str) -> dict[str, str]:
        """Return the files of a branch."""
        return self.trees[self.commits[self.refs[branch]]["tree"]]

    def commit(self, branch: str, login: str, message: str = "By hand") -> None:
        """Let somebody push a commit to a branch."""
        tip = self.refs[branch]
        self.refs[branch] = self._keep(
            self.commits, {**self.commits[tip], "parents": [tip], "login": login, "m": message}
        )

    def pull(self, number: int, head: str, sha: str, **changed: Any) -> dict[str, Any]:
        """Let somebody open a pull request from `owner:branch`."""
        owner, _, branch = head.partition(":")
        made = {
            "number": number, "state": "open", "title": "", "body": "", "base": {"ref": "main"},
            "head": {"label": head, "ref": branch, "sha": sha, "repo": {"id": 7, "owner": {"login": owner}}},
        } | changed  # fmt: skip
        self.pulls.append(made)
        return made

    def store(self, run: int, name: str, members: dict[str, bytes], *, expired: bool = False) -> None:
        """Let a run keep an artifact."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                archive.writestr(member, data)
        id = 500 + len(self.packed)
        self.packed[id] = packed.getvalue()
        self.artifacts.setdefault(run, []).append({"id": id, "name": name, "expired": expired})

    @staticmethod
    def _keep(shelf: dict[str, Any], thing: Any) -> str:
        sha = hashlib.sha1(json.dumps(thing, sort_keys=True).encode()).hexdigest()
        shelf[sha] = thing
        return sha


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


Reply = Callable[[Playing, tuple[str, ...], dict[str, str], Any], Any]


def _comments(hub: Playing, at: tuple[str, ...], query: dict[str, str], _: Any) -> Any:
    page, size = int(query["page"]), int(query["per_page"])
    return hub.comments.get(int(at[0]), [])[(page - 1) * size : page * size]


def _comment(hub: Playing, at: tuple[str, ...], _: dict[str, str], given: Any) -> Any:
    if len(given["body"]) > 65_536:
        raise _Refused(422, "body is too long (maximum is 65536 characters)")
    hub.say(int(at[0]), BOT, given["body"])
    return hub.comments[int(at[0])][-1]


def _edit_comment(hub: Playing, at: tuple[str, ...], _: dict[str, str], given: Any) -> Any:
    for comments in hub.comments.values():
        for comment in comments:
            if comment["id"] == int(at[0]):
                comment["body"] = given["body"]
                return comment
    raise _Refused(404, "Not Found")


def _issues(hub: Playing, _: tuple[str, ...], query: dict[str, str], __: Any) -> Any:
    found = [issue for issue in hub.issues if issue["user"]["login"] == query["creator"]]
    return found if query["page"] == "1" else []


def _open_issue(hub: Playing, _: tuple[str, ...], __: dict[str, str], given: Any) -> Any:
    if len(given["body"]) > 65_536:
        raise _Refused(422, "body is too long (maximum is 65536 characters)")
    hub.issues.append({"number": 200 + len(hub.issues), "state": "open", "user": {"login": BOT}, **given})
    return hub.issues[-1]


def _edit_issue(hub: Playing, at: tuple[str, ...], _: dict[str, str], given: Any) -> Any:
    issue = next((issue for issue in hub.issues if issue["number"] == int(at[0])), None)
    if issue is None:
        raise _Refused(404, "Not Found")
    issue.update(given)
    return issue


def _pulls(hub: Playing, _: tuple[str, ...], query: dict[str, str], __: Any) -> Any:
    states = {"open", "closed"} if query["state"] == "all" else {query["state"]}
    found = [pull for pull in hub.pulls if pull["head"]["label"] == query["head"] and pull["state"] in states]
    return found if query["page"] == "1" else []


def _open_pull(hub: Playing, _: tuple[str, ...], __: dict[str, str], given: Any) -> Any:
    if hub.refs[given["head"]] == hub.refs[given["base"]]:
        raise _Refused(422, f"No commits between {given['base']} and {given['head']}")
    sha = hub.refs[given["head"]]
    return hub.pull(100 + len(hub.pulls), f"atlas:{given['head']}", sha, title=given["title"], body=given["body"])


def _edit_pull(hub: Playing, at: tuple[str, ...], _: dict[str, str], given: Any) -> Any:
    pull: dict[str, Any] = next(pull for pull in hub.pulls if pull["number"] == int(at[0]))
    pull.update(given)
    return pull


def _ref(hub: Playing, at: tuple[str, ...], _: dict[str, str], __: Any) -> Any:
    if at[0] not in hub.refs:
        raise _Refused(404, "Not Found")
    return {"ref": f"refs/heads/{at[0]}", "object": {"sha": hub.refs[at[0]], "type": "commit"}}


def _new_ref(hub: Playing, _: tuple[str, ...], __: dict[str, str], given: Any) -> Any:
    name = given["ref"].removeprefix("refs/heads/")
    if name in hub.refs:
        raise _Refused(422, "Reference already exists")
    hub.refs[name] = given["sha"]
    return {"ref": given["ref"]}


def _move_ref(hub: Playing, at: tuple[str, ...], _: dict[str, str], given: Any) -> Any:
    if at[0] not in hub.refs or given["sha"] not in hub.commits:
        raise _Refused(422, "Reference does not exist")
    hub.refs[at[0]] = given["sha"]
    return {"ref": at[0]}


def _compare(hub: Playing, at: tuple[str, ...], _: dict[str, str], __: Any) -> Any:
    known, sha, found = hub.refs[at[0]], hub.refs[at[1]], []
    while sha != known:
        login = hub.commits[sha].get("login")
        found.append({"sha": sha, "author": {"login": login} if login else None})
        sha = hub.commits[sha]["parents"][0]
    return {"commits": found}


def _get_commit(hub: Playing, at: tuple[str, ...], _: dict[str, str], __: Any) -> Any:
    return {"sha": at[0], "tree": {"sha": hub.commits[at[0]]["tree"]}}


def _new_tree(hub: Playing, _: tuple[str, ...], __: dict[str, str], given: Any) -> Any:
    files = hub.trees[given["base_tree"]] | {entry["path"]: entry["content"] for entry in given["tree"]}
    return {"sha": hub._keep(hub.trees, files)}


def _new_commit(hub: Playing, _: tuple[str, ...], __: dict[str, str], given: Any) -> Any:
    return {"sha": hub._keep(hub.commits, {**given, "login": BOT})}


def _artifacts(hub: Playing, at: tuple[str, ...], query: dict[str, str], _: Any) -> Any:
    found = [each for each in hub.artifacts.get(int(at[0]), []) if each["name"] == query["name"]]
    return {"total_count": len(found), "artifacts": found}


_ROUTES: dict[tuple[str, str], Reply] = {
    ("GET", r""): lambda *_: {"default_branch": "main"},
    ("GET", r"/issues/(\d+)/comments"): _comments,
    ("POST", r"/issues/(\d+)/comments"): _comment,
    ("PATCH", r"/issues/comments/(\d+)"): _edit_comment,
    ("GET", r"/issues"): _issues,
    ("POST", r"/issues"): _open_issue,
    ("PATCH", r"/issues/(\d+)"): _edit_issue,
    ("GET", r"/pulls"): _pulls,
    ("GET", r"/pulls/(\d+)/reviews"): lambda hub, at, *_: hub.reviews.get(int(at[0]), []),
    ("POST", r"/pulls"): _open_pull,
    ("PATCH", r"/pulls/(\d+)"): _edit_pull,
    ("GET", r"/git/ref/heads/(.+)"): _ref,
    ("POST", r"/git/refs"): _new_ref,
    ("PATCH", r"/git/refs/heads/(.+)"): _move_ref,
    ("GET", r"/compare/(.+)\.\.\.(.+)"): _compare,
    ("GET", r"/git/commits/(.+)"): _get_commit,
    ("POST", r"/git/trees"): _new_tree,
    ("POST", r"/git/commits"): _new_commit,
    ("GET", r"/actions/runs/(\d+)/artifacts"): _artifacts,
}


@contextlib.contextmanager
def play_github() -> Iterator[Playing]:
    """Serve the API, and on another port the storage that artifacts are kept in, until the block ends."""
    hub = Playing()

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            given = json.loads(self.rfile.read(size)) if size else None
            parts = urlsplit(self.path)
            path = unquote(parts.path).removeprefix("/repos/atlas/atlas")
            hub.asked.append((self.command, path))
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self._send(401, {"message": "Bad credentials"})
            if hub.broken:
                return self._send(503, {"message": "No server is available"})
            if found := re.fullmatch(r"/actions/artifacts/(\d+)/zip", path):
                return self._redirect(f"{hub.storage}/{found[1]}")
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            for (method, pattern), reply in _ROUTES.items():
                if method == self.command and (found := re.fullmatch(pattern, path)):
                    try:
                        return self._send(200, reply(hub, found.groups(), query, given))
                    except _Refused as error:
                        return self._send(error.status, {"message": str(error)})
            return self._send(404, {"message": "Not Found"})

        do_POST = do_PATCH = do_GET

        def _redirect(self, where: str) -> None:
            self.send_response(302)
            self.send_header("Location", where)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _send(self, status: int, answer: Any) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Storage(Api):
        def do_GET(self) -> None:
            hub.storage_saw.append(self.headers.get("Authorization"))
            body = hub.packed[int(self.path[1:])]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # clients that hang up are part of the play

    servers = [Server(("127.0.0.1", 0), handler) for handler in (Api, Storage)]
    hub.base, hub.storage = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    # Another name makes it another host, to which the token must not go.
    hub.storage = hub.storage.replace("127.0.0.1", "localhost")
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
