"""The life of a promotion by pull request, each step one of a workflow."""

from __future__ import annotations

import json
from pathlib import Path

from tests.action.step import Ran, pushed, run
from tests.story import RepoStory


def _manifest(version: str) -> str:
    """A manifest that wants the version, and wants it in production."""
    wanted = f"version: {version}\n    assign: {{production: {version}}}"
    return f"models:\n  churn:\n    path: models/churn.pkl\n    {wanted}\n"


class Host:
    """A host: pull requests are merged into `main`, and each push starts the workflow in a new clone."""

    def __init__(self, repo: RepoStory, place: Path) -> None:
        self.repo, self.place = repo, place
        repo.git("init", "-q", "--bare", "-b", "main", str(place / "origin.git"))
        for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            repo.git("-C", str(place / "origin.git"), "config", key, "true")
        repo.git("remote", "add", "origin", (place / "origin.git").as_uri())
        repo.git("push", "-q", "-u", "origin", "main")

    def _checkout(self, ref: str) -> Path:
        """As actions/checkout leaves it: one commit, and of the tags the one that triggered it, made light."""
        clone = self.place / f"job-{len(list(self.place.glob('job-*')))}"
        self.repo.git("init", "-q", "-b", "unborn", str(clone))
        fetched = ref if ref.startswith("refs/tags/") else ref.replace("refs/", "refs/remotes/origin/", 1)
        self.repo.git("-C", str(clone), "remote", "add", "origin", (self.place / "origin.git").as_uri())
        self.repo.git("-C", str(clone), "fetch", "-q", "--no-tags", "--depth=1", "origin", f"+{ref}:{fetched}")
        self.repo.git("-C", str(clone), "checkout", "-q", "--detach", f"{fetched}^{{commit}}")
        if ref.startswith("refs/tags/"):
            self.repo.git("-C", str(clone), "update-ref", fetched, "HEAD")
        return clone

    def propose(self, manifest: str) -> Ran:
        """A pull request with that manifest, reviewed; what it would be merged as is then on `merge`."""
        base = self.repo.git("rev-parse", "main")
        self.repo.git("switch", "-q", "-C", "change", "main")
        self.repo.write("registry.yaml", manifest).commit("Change the manifest")
        ends = {"base": {"sha": base}, "head": {"sha": self.repo.git("rev-parse", "change")}}
        self.repo.git("switch", "-q", "main")
        self.repo.git("merge", "-q", "--no-ff", "-m", "Merge the change", "change")
        self.repo.git("push", "-q", "origin", "main:refs/pull/7/merge")
        clone = self._checkout("refs/pull/7/merge")
        return self._in_order(
            run(clone, "pull_request", "refs/pull/7/merge", payload={"pull_request": {"number": 7, **ends}})
        )

    def merge(self) -> None:
        """What is on `main` here is on the host's, too."""
        self.repo.git("push", "-q", "origin", "main")

    def apply(self) -> Ran:
        """The workflow of a push to `main`."""
        return self._in_order(run(self._checkout("refs/heads/main")))

    def event(self, tag: str) -> Ran:
        """The later job, or the workflow of a tag."""
        return self._in_order(pushed(self._checkout(f"refs/tags/{tag}"), tag))

    @staticmethod
    def _in_order(ran: Ran) -> Ran:
        assert ran.code == 0, ran.log
        return ran


def _events(ran: Ran) -> list[tuple[str, str, str]]:
    return [(one["tag"], one["version"], one["commit"]) for one in json.loads(ran.outputs["events"])]


def test_a_promotion_is_a_pull_request(repo: RepoStory, tmp_path: Path) -> None:
    host = Host(repo, tmp_path)

    review = host.propose(_manifest("v1.0.0"))
    host.merge()
    first = repo.git("rev-parse", "HEAD")
    applied = host.apply()
    again = host.apply()
    deployed = host.event("churn#production#2")

    assert "`churn@v1.0.0`" in review.summary
    assert "`churn#production#2`" in review.summary
    assert _events(applied) == [("churn@v1.0.0", "v1.0.0", first), ("churn#production#2", "v1.0.0", first)]
    assert _events(again) == []
    assert (deployed.outputs["version"], deployed.outputs["commit"]) == ("v1.0.0", first)
    assert deployed.outputs["current"] == "true"


def test_a_delayed_apply_registers_what_was_reviewed_and_a_revert_rolls_back(repo: RepoStory, tmp_path: Path) -> None:
    host = Host(repo, tmp_path)
    host.propose(_manifest("v1.0.0"))
    host.merge()
    host.apply()

    host.propose(_manifest("v2.0.0"))
    merged = repo.git("rev-parse", "HEAD")
    repo.train("weights of somebody else\n")
    host.merge()
    delayed = host.apply()
    repo.git("revert", "--no-edit", "-m", "1", merged)
    host.merge()
    reverted = host.apply()
    old = host.event("churn#production#4")

    assert _events(delayed) == [("churn@v2.0.0", "v2.0.0", merged), ("churn#production#4", "v2.0.0", merged)]
    assert [(tag, version) for tag, version, _ in _events(reverted)] == [("churn#production#5", "v1.0.0")]
    assert json.loads(reverted.outputs["events"])[0]["previous-version"] == "v2.0.0"
    assert (old.outputs["version"], old.outputs["current"]) == ("v2.0.0", "false")
    assert _events(host.apply()) == []
