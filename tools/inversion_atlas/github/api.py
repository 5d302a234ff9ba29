"""What is asked of GitHub's REST API (version 2022-11-28): comments, pull requests, a file on a branch, an artifact."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

# Whoever acts with the token of a workflow; only its own comments are changed.
BOT = "github-actions[bot]"
_PAGE = 100
_MAX_PAGES = 30
_TIMEOUT = 30.0
# What Python raises for archives that are none, or broken, encrypted or packed in unknown ways.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)


class GitHubError(Exception):
    """GitHub did not do what it was asked; the message says what, and what GitHub said."""


class GitHub:
    """One repository, spoken to with the token of a workflow."""

    def __init__(self, api: str, repository: str, token: str) -> None:
        self.repository = repository
        self._at = f"/repos/{quote(repository)}"
        self._client = httpx.Client(
            base_url=api,
            timeout=_TIMEOUT,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "inversion-atlas",
            },
        )

    @classmethod
    def from_environment(cls) -> GitHub:
        """Return what the variables of a workflow name; raises GitHubError where one is missing."""
        missing = [name for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not os.environ.get(name)]
        if missing:
            raise GitHubError(f"{' and '.join(missing)} must be set, as in a workflow")
        api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        return cls(api, os.environ["GITHUB_REPOSITORY"], os.environ["GITHUB_TOKEN"])

    def __enter__(self) -> GitHub:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._client.close()

    @property
    def owner(self) -> str:
        """Whose the repository is."""
        return self.repository.partition("/")[0]

    def default_branch(self) -> str:
        """Return the name of the branch that pull requests go to."""
        return str(self._asked("GET", "")["default_branch"])

    def put_comment(self, number: int, marker: str, text: str) -> None:
        """Write the one comment that starts with `marker` on an issue or pull request, or bring it up to date."""
        body = f"{marker}\n{text}"
        for comment in self._listed(f"/issues/{number}/comments"):
            if comment["user"]["login"] == BOT and str(comment["body"]).startswith(marker):
                if comment["body"] != body:
                    self._asked("PATCH", f"/issues/comments/{int(comment['id'])}", {"body": body})
                return
        self._asked("POST", f"/issues/{number}/comments", {"body": body})

    def pull_requests(self, head: str, *, state: str = "open") -> list[dict[str, Any]]:
        """Return the pull requests whose head is `owner:branch`."""
        return list(self._listed(f"/pulls?state={state}&head={quote(head, safe='')}"))

    def open_pull_request(self, branch: str, title: str, body: str) -> int:
        """Open a pull request to the default branch; return its number."""
        asked = {"title": title, "body": body, "head": branch, "base": self.default_branch()}
        return int(self._asked("POST", "/pulls", asked)["number"])

    def edit_pull_request(self, number: int, title: str, body: str) -> None:
        """Change title and description of a pull request."""
        self._asked("PATCH", f"/pulls/{number}", {"title": title, "body": body})

    def is_reviewed(self, number: int) -> bool:
        """Tell whether somebody has reviewed a pull request."""
        return any(True for _ in self._listed(f"/pulls/{number}/reviews"))

    def own_issues(self) -> Iterator[dict[str, Any]]:
        """Yield the issues, open and closed, that the bot wrote."""
        for issue in self._listed(f"/issues?state=all&creator={quote(BOT, safe='')}"):
            if "pull_request" not in issue and issue["user"]["login"] == BOT:
                yield issue

    def open_issue(self, title: str, body: str) -> int:
        """Open an issue; return its number."""
        return int(self._asked("POST", "/issues", {"title": title, "body": body})["number"])

    def edit_issue(self, number: int, *, title: str, body: str, state: str) -> None:
        """Change an issue; `state` is `open` or `closed`."""
        self._asked("PATCH", f"/issues/{number}", {"title": title, "body": body, "state": state})

    def branch_tip(self, branch: str) -> str:
        """Return the commit that a branch stands at, or nothing where there is no such branch."""
        found = self._asked("GET", f"/git/ref/heads/{quote(branch)}", absent_is_fine=True)
        return str(found["object"]["sha"]) if found else ""

    def authors_since(self, base: str, head: str) -> set[str]:
        """Return who committed to `head` what `base` lacks; nobody's commits count as those of an empty name."""
        commits = self._asked("GET", f"/compare/{quote(base)}...{quote(head)}")["commits"]
        return {str((commit["author"] or {}).get("login", "")) for commit in commits}

    def put_file(self, branch: str, tip: str, base: str, path: str, text: str, message: str) -> None:
        """Let `branch`, now at `tip` if it exists, stand at one commit on `base` that writes one file."""
        tree = self._asked("GET", f"/git/commits/{quote(base)}")["tree"]["sha"]
        entry = {"path": path, "mode": "100644", "type": "blob", "content": text}
        new_tree = self._asked("POST", "/git/trees", {"base_tree": tree, "tree": [entry]})["sha"]
        commit = self._asked("POST", "/git/commits", {"message": message, "tree": new_tree, "parents": [base]})["sha"]
        if tip:
            self._asked("PATCH", f"/git/refs/heads/{quote(branch)}", {"sha": commit, "force": True})
        else:
            self._asked("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})

    def artifact(self, run: int, name: str, member: str, most: int) -> bytes:
        """Return one file of a run's artifact; raises GitHubError where there is none or it has over `most` bytes."""
        answer = self._asked("GET", f"/actions/runs/{run}/artifacts?name={quote(name, safe='')}")
        found = [each for each in answer["artifacts"] if each["name"] == name and not each["expired"]]
        if len(found) != 1:
            raise GitHubError(f"run {run} has {len(found)} artifacts called {name}, not one")
        packed = self._download(f"{self._at}/actions/artifacts/{int(found[0]['id'])}/zip", most)
        try:
            with zipfile.ZipFile(io.BytesIO(packed)) as archive, archive.open(member) as file:
                data = file.read(most + 1)
        except _UNREADABLE as error:
            raise GitHubError(f"the artifact {name} holds no readable {member}: {type(error).__name__}") from None
        if len(data) > most:
            raise GitHubError(f"{member} has more than {most:,} bytes")
        return data

    def _download(self, path: str, most: int) -> bytes:
        # The token stays with GitHub: httpx drops it where a redirect leads to another host.
        data = bytearray()
        try:
            with self._client.stream("GET", path, follow_redirects=True) as answer:
                if answer.status_code != 200:
                    raise GitHubError(f"GET {path}: status {answer.status_code}")
                for piece in answer.iter_bytes():
                    data += piece
                    if len(data) > most:
                        raise GitHubError(f"{path} has more than {most:,} bytes")
        except httpx.HTTPError as error:
            raise GitHubError(f"GET {path}: {type(error).__name__}") from None
        return bytes(data)

    def _listed(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page by page."""
        sign = "&" if "?" in path else "?"
        for page in range(1, _MAX_PAGES + 1):
            items = self._asked("GET", f"{path}{sign}per_page={_PAGE}&page={page}")
            yield from items
            if len(items) < _PAGE:
                return

    def _asked(
        self, method: str, path: str, given: Mapping[str, Any] | None = None, *, absent_is_fine: bool = False
    ) -> Any:
        try:
            answer = self._client.request(method, f"{self._at}{path}", json=given)
            if answer.status_code == 404 and absent_is_fine:
                return None
            if answer.status_code >= 300:
                raise GitHubError(f"{method} {path}: status {answer.status_code}, {_said(answer)}")
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise GitHubError(f"{method} {path}: {type(error).__name__}") from None


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return "without a reason"
