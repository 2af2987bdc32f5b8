"""One comment on a pull request that is kept up to date: found again by its marker and by who wrote it."""

from __future__ import annotations

import hashlib

from registry.action.gh import Gh, GhFailed, gh_for
from registry.action.runner import Runner
from registry.core.manifest import Json

_LIMIT = 65_000  # characters; the host takes 65,536

_COMMENTS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      comments(first: 100, after: $after) {
        nodes { databaseId viewerDidAuthor body }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


def comment(runner: Runner, markdown: str) -> None:
    """Write the comment, or write it anew. Raises GhFailed."""
    number = runner.said("pull_request", "number")
    if not isinstance(number, int):
        raise GhFailed("there is no pull request to comment on", "the event is none of a pull request")
    gh = gh_for(runner)
    marker = marker_of(runner.inputs.repository_path)
    body: Json = {"body": f"{marker}\n{_fitting(markdown)}"}
    there = _there(gh, number, marker)
    if there is None:
        gh.send("POST", f"issues/{number}/comments", body)
    else:
        gh.send("PATCH", f"issues/comments/{there}", body)


def marker_of(path: str) -> str:
    """What our comment begins with: a workflow may review several repositories, each below its own path."""
    which = f" {hashlib.sha256(path.encode()).hexdigest()[:16]}" if path else ""
    return f"<!-- git-registry review{which} -->"


def _there(gh: Gh, number: int, marker: str) -> int | None:
    """The id of our comment; one of somebody else's with the same marker is not ours."""
    after: str | None = None
    while True:
        comments = _inside(gh.graphql(_COMMENTS, number=number, after=after), "data", "repository", "pullRequest")
        comments = _inside(comments, "comments")
        nodes = _inside(comments, "nodes")
        for node in nodes if isinstance(nodes, list) else []:
            body, id_ = _inside(node, "body"), _inside(node, "databaseId")
            mine = _inside(node, "viewerDidAuthor") is True
            if mine and isinstance(body, str) and body.startswith(marker) and isinstance(id_, int):
                return id_
        end = _inside(comments, "pageInfo", "endCursor")
        if _inside(comments, "pageInfo", "hasNextPage") is not True or not isinstance(end, str):
            return None
        after = end


def _inside(value: Json, *keys: str) -> Json:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _fitting(markdown: str) -> str:
    if len(markdown) <= _LIMIT:
        return markdown
    # Said first: an open block of code would swallow it at the end.
    return f"> This is too long for a comment; the job's summary has all of it.\n\n{markdown[:_LIMIT]}"
