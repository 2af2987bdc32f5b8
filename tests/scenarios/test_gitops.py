"""Promotion by pull request: what the manifest wants, and what `plan` and `apply` make of it (DESIGN part 5)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.errors import RegistryError
from registry.porcelain.gitops import Change, Obstructed
from tests.story import RepoStory

STAGES = "stages:\n  staging: {}\n  production: {after: staging, exclusive: true}\n"


class GitOps(RepoStory):
    """A repository whose manifest says what shall be."""

    def want(self, churn: str = "", stages: str = STAGES, more: str = "") -> str:
        """Commit a manifest in which `churn` has these further lines; give the commit."""
        lines = "".join(f"    {line}\n" for line in churn.splitlines())
        self.write("registry.yaml", f"{stages}models:\n  churn:\n    path: models/churn.pkl\n{lines}{more}")
        return self.commit(f"Want {churn}", empty=True)

    def apply(self, **said: object) -> list[str]:
        """Apply; the tags that were made."""
        return [event.tag for event in self.registry_at().apply(**said).events]  # type: ignore[arg-type]

    def planned(self, revision: str | None = None) -> list[str]:
        """The tags that apply would make."""
        return [event.tag for event in self.registry.plan(revision).events]

    def obstacles(self) -> list[str]:
        """Why it would not."""
        return [one.message for one in self.registry.plan().obstacles]


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitOps:
    story = GitOps.begin(tmp_path / "repo")
    story.write("models/churn.pkl", "weights\n")
    story.want()
    return story


def test_a_version_and_its_stages_become_true_in_the_order_of_the_lifecycle(ops: GitOps) -> None:
    commit = ops.want("version: v1.0.0\nassign: {production: v1.0.0, staging: v1.0.0}")
    wanted = ["churn@v1.0.0", "churn#staging#2", "churn#production#3"]

    assert ops.planned() == wanted
    assert ops.tags == []
    assert ops.apply() == wanted
    assert ops.resolve("churn#production") == "v1.0.0"
    assert ops.registry.resolve("churn@v1.0.0").commit == commit


def test_what_is_true_already_is_left_alone(ops: GitOps) -> None:
    ops.want("version: v1.0.0\nassign: {staging: v1.0.0}")
    ops.apply()
    before = ops.refs()

    assert ops.planned() == []
    assert ops.apply() == []
    assert ops.refs() == before


def test_a_version_is_registered_where_its_line_came_in_not_where_apply_happens_to_run(ops: GitOps) -> None:
    reviewed = ops.want("version: v1.0.0")
    ops.train("others\n")
    ops.want("version: v1.0.0\nlabels: [tabular]")

    ops.apply()

    assert ops.registry.resolve("churn@v1.0.0").commit == reviewed


def test_a_line_that_was_taken_back_and_said_again_begins_again(ops: GitOps) -> None:
    ops.want("version: v1.0.0")
    ops.want()
    again = ops.want("version: v1.0.0")
    ops.train()

    ops.apply()

    assert ops.registry.resolve("churn@v1.0.0").commit == again


def test_a_manifest_that_was_broken_in_between_is_a_break(ops: GitOps) -> None:
    ops.want("version: v1.0.0")
    ops.write("registry.yaml", "models: [").commit()
    mended = ops.want("version: v1.0.0")

    ops.apply()

    assert ops.registry.resolve("churn@v1.0.0").commit == mended


def test_what_a_merge_brought_began_with_the_merge(ops: GitOps) -> None:
    ops.git("switch", "-q", "-c", "feature")
    ops.want("version: v1.0.0")
    ops.git("switch", "-q", "main")
    ops.write("README", "meanwhile\n").commit()
    ops.git("merge", "-q", "--no-ff", "-m", "Merge the feature", "feature")
    merged = ops.git("rev-parse", "HEAD")
    ops.train()

    ops.apply()

    assert ops.registry.resolve("churn@v1.0.0").commit == merged


def test_a_line_that_was_always_there_began_with_the_first_commit(tmp_path: Path) -> None:
    ops = GitOps.begin(tmp_path / "new")
    ops.write("models/churn.pkl", "weights\n")
    first = ops.want("version: v1.0.0")
    for _ in range(200):
        ops.commit(empty=True)

    ops.apply()

    assert ops.registry.resolve("churn@v1.0.0").commit == first


def test_all_or_none(ops: GitOps) -> None:
    ops.write("models/spam.pkl", "weights\n")
    spam = "  spam:\n    path: models/spam.pkl\n    version: v1.0.0\n    assign: {production: v0.9.0}\n"
    ops.want("version: v1.0.0", more=spam)
    before = ops.refs()

    with pytest.raises(RegistryError, match=r"spam v0\.9\.0 is neither registered nor its `version`"):
        ops.apply()
    assert ops.refs() == before


def test_several_models_are_one_plan(ops: GitOps) -> None:
    ops.write("models/spam.pkl", "weights\n")
    spam = "  spam:\n    path: models/spam.pkl\n    version: v2.0.0\n    assign: {staging: v2.0.0}\n"
    ops.want("version: v1.0.0\nassign: {staging: v1.0.0, production: v1.0.0}", more=spam)

    assert ops.apply() == [
        "churn@v1.0.0", "spam@v2.0.0", "churn#staging#2", "spam#staging#2", "churn#production#3",
    ]  # fmt: skip


def test_a_version_that_is_behind_is_a_note_where_it_is_registered(ops: GitOps) -> None:
    ops.register("churn", "v1.0.0").register("churn", "v2.0.0")
    ops.want("version: v1.0.0")

    plan = ops.registry.plan()

    assert (plan.steps, plan.obstacles) == ((), ())
    assert plan.notes == ("the manifest says churn v1.0.0, which is registered; v2.0.0 is greater",)


def test_a_version_that_is_behind_and_was_never_registered_is_an_error(ops: GitOps) -> None:
    ops.register("churn", "v2.0.0")
    ops.want("version: v1.0.0\nassign: {staging: v1.0.0}")

    assert ops.obstacles() == ["churn v1.0.0 is lower than v2.0.0, and was never registered"]
    with pytest.raises(RegistryError, match="lower than"):
        ops.apply()


def test_a_version_that_was_deregistered_is_an_error(ops: GitOps) -> None:
    ops.register("churn", "v1.0.0").deregister("churn@v1.0.0")
    ops.want("version: v1.0.0")

    assert ops.obstacles() == ["churn v1.0.0 was deregistered by Ana on 2026-01-01"]


def test_null_empties_a_stage_and_a_line_that_is_gone_does_not(ops: GitOps) -> None:
    ops.register("churn", "v1.0.0").register("churn", "v2.0.0")
    ops.assign("churn@v1.0.0", "staging").assign("churn@v2.0.0", "staging")

    ops.want()
    assert ops.planned() == []

    ops.want("assign: {staging: null}")
    assert ops.apply() == ["churn#staging!#5", "churn#staging!#6"]
    assert ops.registry.repository.state("churn").stages == {}


def test_a_plan_shows_what_somebody_did_by_hand_and_apply_undoes_it(ops: GitOps) -> None:
    ops.register("churn", "v1.0.0").register("churn", "v2.0.0")
    ops.want("assign: {staging: v1.0.0}")
    ops.apply()
    ops.assign("churn@v2.0.0", "staging")
    assert ops.notes[-1] == "registry.yaml wants v1.0.0 in staging: the next apply undoes this"

    [step] = ops.registry.plan().steps

    assert (step.version, step.stage, step.now) == ("v1.0.0", "staging", "v2.0.0")
    ops.apply()
    assert ops.resolve("churn#staging") == "v1.0.0"


def test_an_exclusive_stage_is_emptied_in_the_same_step(ops: GitOps) -> None:
    for version in ("v1.0.0", "v2.0.0"):
        ops.want(f"version: {version}\nassign: {{staging: {version}, production: {version}}}")
        made = ops.apply()

    assert made == ["churn@v2.0.0", "churn#staging#5", "churn#production!#6", "churn#production#7"]


def test_rules_of_stages_hold(ops: GitOps) -> None:
    ops.want("version: v1.0.0\nassign: {production: v1.0.0}")

    assert ops.obstacles() == ["churn v1.0.0 has not been in staging, which the manifest wants before production"]


def test_what_cannot_be_understood_is_not_left_out(ops: GitOps) -> None:
    ops.want("version: 1.0\nassign: {production: latest}")

    assert [message.partition(": ")[0] for message in ops.obstacles()] == ["registry.yaml:7", "registry.yaml:8"]
    with pytest.raises(RegistryError, match=r"and 1 more"):
        ops.apply()


def test_all_that_stands_in_the_way_is_known_to_who_catches_it(ops: GitOps) -> None:
    more = "".join(f"  m{n}: {{path: models/churn.pkl, assign: {{staging: v9.0.0}}}}\n" for n in range(3))
    head = ops.want("assign: {production: v6.6.6}", more=more)

    with pytest.raises(Obstructed) as error:
        ops.apply()

    said = [(one.artifact, one.stage) for one in error.value.obstacles]
    assert said == [("m0", "staging"), ("m1", "staging"), ("m2", "staging"), ("churn", "production")]
    assert error.value.message == "m0 v9.0.0 is neither registered nor its `version` (and 3 more)"
    assert error.value.hint == f"registry plan --rev {head[:7]} lists all of it"
    assert list(ops.registry.plan(head[:7]).obstacles) == list(error.value.obstacles)
    assert ops.tags == []


def test_a_broken_manifest_stops_everything(ops: GitOps) -> None:
    ops.write("registry.yaml", "models: [").commit()

    with pytest.raises(RegistryError, match="cannot be read"):
        ops.apply()


def test_a_model_file_that_is_missing_is_said(ops: GitOps) -> None:
    (ops.path / "models/churn.pkl").unlink()
    ops.want("version: v1.0.0")

    assert ops.obstacles() == [f"models/churn.pkl is not there at commit {ops.git('rev-parse', 'HEAD')[:7]}"]


def test_a_commit_that_is_a_version_already_cannot_be_another(ops: GitOps) -> None:
    ops.want("version: v2.0.0")
    ops.register("churn", "v1.0.0")

    assert [message.partition(" is ")[2] for message in ops.obstacles()] == ["churn v1.0.0 already"]


def test_another_commit_may_be_asked_about(ops: GitOps) -> None:
    ops.git("switch", "-q", "-c", "feature")
    ops.want("version: v1.0.0")
    ops.git("switch", "-q", "main")

    assert ops.planned() == []
    assert ops.planned("feature") == ["churn@v1.0.0"]
    assert ops.apply(revision="feature") == ["churn@v1.0.0"]


def test_a_dry_run_writes_nothing(ops: GitOps) -> None:
    ops.want("version: v1.0.0")
    before = ops.refs()

    assert ops.apply(dry_run=True) == ["churn@v1.0.0"]
    assert ops.refs() == before


def test_the_pull_request_that_brought_a_line_is_recorded_on_its_events(ops: GitOps) -> None:
    first = ops.want("version: v1.0.0")
    second = ops.want("version: v1.0.0\nassign: {staging: v1.0.0}")
    brought = {first: Change("https://example.com/pull/1", ("bo@example.com",)), second: None}

    ops.apply(changes=brought.__getitem__)

    registration, assignment = ops.registry.repository.state("churn").events
    assert registration.keys["Change"] == ("https://example.com/pull/1",)
    assert registration.keys["Approved-By"] == ("bo@example.com",)
    assert "Change" not in assignment.keys


def test_a_manifest_of_a_directory_and_artifacts_of_other_types(ops: GitOps) -> None:
    ops.write("cv/pool.bin", "weights\n").write("data/train.csv", "1\n")
    entry = "artifacts:\n  pool: {type: component, path: pool.bin, version: v0.1.0}\n"
    commit = ops.write("cv/registry.yaml", entry).commit()
    ops.train()

    assert ops.apply() == ["cv=pool@v0.1.0"]
    assert ops.registry.resolve("cv:pool@v0.1.0").commit == commit


class TestGates:
    RULES = (
        "stages:\n  staging: {}\n  production:\n    exclusive: true\n"
        '    require: {metrics: {auc: ">=0.9", loss: "<1"}, no_worse_than: production, card: true}\n'
    )

    def measured(self, ops: GitOps, version: str, auc: float, *, card: bool = True, said: str = "") -> None:
        ops.write("metrics.json", json.dumps({"auc": auc, "loss": 0.5}))
        lines = f"metrics: metrics.json\n{'card: {license: MIT}' if card else ''}\nversion: {version}\n{said}"
        ops.want(lines, stages=self.RULES)

    def test_assign_holds_them(self, ops: GitOps) -> None:
        self.measured(ops, "v1.0.0", 0.89, card=False)
        ops.apply()

        with pytest.raises(RegistryError) as refused:
            ops.assign("churn@v1.0.0", "production")
        assert refused.value.message == (
            "churn v1.0.0 may not enter production: auc is 0.89, and has to be >=0.9; it has no model card"
        )

    def test_what_a_tag_says_of_a_metric_counts(self, ops: GitOps) -> None:
        self.measured(ops, "v1.0.0", 0.89)
        ops.apply()
        ops.registry_at().annotate("churn@v1.0.0", metrics={"auc": 0.95})

        assert ops.assign("churn@v1.0.0", "production").resolve("churn#production") == "v1.0.0"

    def test_a_plan_shows_the_metrics_beside_those_of_the_present_holder(self, ops: GitOps) -> None:
        self.measured(ops, "v1.0.0", 0.95, said="assign: {production: v1.0.0}")
        ops.apply()
        self.measured(ops, "v2.0.0", 0.97, said="assign: {production: v2.0.0}")

        step = ops.registry.plan().steps[-1]

        assert [measure.to_json() for measure in step.metrics] == [
            {"metric": "auc", "now": 0.95, "candidate": 0.97, "passed": True,
             "wanted": [">=0.9", "no worse than production (0.95)"]},
            {"metric": "loss", "now": 0.5, "candidate": 0.5, "passed": True,
             "wanted": ["<1", "no worse than production (0.5)"]},
        ]  # fmt: skip

    def test_a_worse_one_is_not_applied_and_the_plan_says_why(self, ops: GitOps) -> None:
        self.measured(ops, "v1.0.0", 0.95, said="assign: {production: v1.0.0}")
        ops.apply()
        self.measured(ops, "v2.0.0", 0.93, said="assign: {production: v2.0.0}")

        [obstacle] = ops.registry.plan().obstacles

        assert obstacle.message == (
            "churn v2.0.0 may not enter production: auc is 0.93, and has to be >=0.9"
            " and no worse than production (0.95)"
        )
        with pytest.raises(RegistryError, match="may not enter"):
            ops.apply()

    def test_a_rollback_is_no_step_back(self, ops: GitOps) -> None:
        self.measured(ops, "v1.0.0", 0.95, said="assign: {production: v1.0.0}")
        ops.apply()
        self.measured(ops, "v2.0.0", 0.97, said="assign: {production: v2.0.0}")
        ops.apply()

        ops.registry_at().rollback("churn", "production")

        assert ops.resolve("churn#production") == "v1.0.0"

    def test_a_promoted_run_passes_them_or_is_no_version(self, ops: GitOps) -> None:
        self.measured(ops, "v1.0.0", 0.95, said="assign: {production: v1.0.0}")
        ops.apply()
        before = ops.refs()

        run = ops.registry_at().promote("churn", stage="production", force=True)
        with pytest.raises(RegistryError, match=r"loss is 2, and has to be <1"), run:
            run.log_metric("loss", 2)

        assert ops.refs() == before


class TestWhatIsMisspelt:
    """Reading leaves out what it does not understand; what decides must not."""

    @pytest.mark.parametrize(
        "rules",
        [
            "{metric: {auc: '>=0.9'}}", "{metrics: [auc]}", "'>=0.9'", "{no_worse_then: production}",
            "{metrics: {auc: '> = 0.9'}}", "{metrics: {auc: '>=0,9'}}", "{metrics: {auc: '!=nan'}}",
        ],
    )  # fmt: skip
    def test_a_gate_that_is_misspelt_is_no_open_gate(self, ops: GitOps, rules: str) -> None:
        ops.want(
            "version: v1.0.0\nassign: {production: v1.0.0}", stages=f"stages: {{production: {{require: {rules}}}}}\n"
        )
        ops.register("churn", "v1.0.0")

        with pytest.raises(RegistryError, match=r"^registry\.yaml:1: "):
            ops.apply()
        with pytest.raises(RegistryError, match=r"a rule cannot be understood: registry\.yaml:1:"):
            ops.assign("churn@v1.0.0", "production")

    @pytest.mark.parametrize(
        "rule", ["required: {card: true}", "After: staging", "after: [staging]", "exclusive: 'yes'", "[exclusive]"]
    )
    def test_nor_is_a_rule(self, ops: GitOps, rule: str) -> None:
        text = rule if rule.startswith("[") else f"{{{rule}}}"
        ops.register("churn", "v1.0.0")
        ops.want(stages=f"stages: {{staging: {{}}, production: {text}}}\n")

        with pytest.raises(RegistryError, match="a rule cannot be understood"):
            ops.assign("churn@v1.0.0", "production")

    def test_a_model_s_own_rules_stop_nobody_else(self, ops: GitOps) -> None:
        ops.want(more="  spam: {stages: [production]}\n")
        ops.register("churn", "v1.0.0").register("spam", "v1.0.0")

        ops.assign("churn@v1.0.0", "staging")
        with pytest.raises(RegistryError, match="a rule cannot be understood"):
            ops.assign("spam@v1.0.0", "production")

    @pytest.mark.parametrize(
        "text",
        [
            "models: {churn: {verison: v2.0.0}}", "model: {churn: {version: v2.0.0}}", "models: [churn]",
            "models: {churn: v2.0.0}", "models: {bad name: {version: v1.0.0}}",
        ],
    )  # fmt: skip
    def test_half_a_manifest_is_not_applied(self, ops: GitOps, text: str) -> None:
        ops.write("registry.yaml", text).commit()

        with pytest.raises(RegistryError, match=r"^registry\.yaml:1: "):
            ops.apply()

    @pytest.mark.parametrize("text", ["[]", "other.yaml"])
    def test_nor_is_what_is_none(self, ops: GitOps, text: str) -> None:
        ops.write("registry.yaml", text).commit()

        with pytest.raises(RegistryError, match=r"^registry\.yaml at .* cannot be read: 1:1: not a mapping"):
            ops.apply()


@pytest.mark.parametrize(
    ("stage", "why"),
    [("con", "would not travel"), ("s" * 210, "would not travel"), ("Staging", "differs from staging in case only")],
)
def test_a_plan_knows_what_cannot_be_a_tag(ops: GitOps, stage: str, why: str) -> None:
    ops.register("churn", "v1.0.0").assign("churn@v1.0.0", "staging")
    ops.want(f"assign: {{{stage}: v1.0.0}}", stages="")

    [message] = ops.obstacles()

    assert why in message


def test_a_tag_in_the_way_is_an_obstacle_of_its_model(ops: GitOps) -> None:
    ops.tag("churn@v1.0.0", light=True)
    ops.want("version: v1.0.0")

    [obstacle] = ops.registry.plan().obstacles

    assert (obstacle.artifact, obstacle.message) == ("churn", "the tag churn@v1.0.0 is there already, but is no event")


def test_two_stages_that_differ_in_case_only_are_not_made_together(ops: GitOps) -> None:
    ops.register("churn", "v1.0.0")
    ops.want("assign: {Prod: v1.0.0, prod: v1.0.0}", stages="")

    with pytest.raises(RegistryError, match="differs from Prod in case only"):
        ops.apply()


def test_what_a_step_opens_is_recorded_too(ops: GitOps) -> None:
    commit = ops.want("version: v1.0.0\nassign: {prod: v1.0.0-rc.1}", stages="")
    ops.tag("churn@v1.0.0-rc.1", "by GTO").tag("churn#prod#1", "by GTO")

    made = ops.apply(changes={commit: Change("https://example.com/pull/1")}.__getitem__)

    assert made == ["churn@v1.0.0", "churn#prod#3"]


def test_what_leaves_an_exclusive_stage_names_the_change_too(ops: GitOps) -> None:
    for version in ("v1.0.0", "v2.0.0"):
        ops.want(
            f"version: {version}\nassign: {{production: {version}}}", stages="stages: {production: {exclusive: true}}\n"
        )
        ops.apply(changes=lambda _: Change("https://example.com/pull/1"))

    assert all("Change" in event.keys for event in ops.registry.repository.state("churn").events)


def test_a_graft_of_this_clone_moves_no_registration(ops: GitOps) -> None:
    commit = ops.want("version: v1.0.0")
    later = ops.train()
    ops.git("replace", "--graft", later)

    ops.apply()

    assert ops.registry.resolve("churn@v1.0.0").commit == commit
