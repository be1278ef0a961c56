"""What build servers are told: annotations, SARIF, JUnit, GitLab's reports."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from apiops import render
from apiops.errors import ApiopsError, SpecInvalid
from apiops.model import codes
from apiops.model.diagnostic import Diagnostic, Location, Severity
from apiops.model.view import Findings
from apiops.render.facts import remarks
from apiops.render.pipeline import github
from apiops.render.pipeline import sarif as pipeline
from tests import sarif
from tests.golden import stories

TOLD = [
    stories.creation,
    stories.rotation,
    stories.guarded,
    stories.denied,
    stories.drifted,
    stories.unchanged,
    stories.invalid,
    stories.partly,
    stories.fault,
]


def a_finding(path: str = "a.yaml", message: str = "wrong", **more: Any) -> Diagnostic:
    return Diagnostic("AO203", message, Location(path, 3, 5), **more)


def commands(*found: Diagnostic) -> list[str]:
    return render.render(Findings(found), "github").splitlines()


class TestAnnotations:
    def test_a_command_says_level_place_code_message_and_hint(self) -> None:
        assert [
            "::warning file=a.yaml,line=3,col=5,title=apiops AO203::wrong%0Ado it right"
        ] == commands(a_finding(severity=Severity.WARNING, hint="do it right"))

    def test_names_and_messages_cannot_end_a_command_or_begin_another(self) -> None:
        nasty = "a,b:c%d\r\n::set-output name=x::y"
        (line,) = commands(a_finding(nasty, nasty))
        head, _, message = line.removeprefix("::error ").partition("::")
        assert "file=a%2Cb%3Ac%25d\\r\\n%3A%3Aset-output name=x%3A%3Ay" == head.split(",line=")[0]
        assert "a,b:c%25d%0A::set-output name=x::y" == message

    def test_no_level_has_more_than_is_shown_and_the_last_counts_the_rest(self) -> None:
        lines = commands(*(a_finding(f"{n}.yaml") for n in range(25)))
        assert github.SHOWN == len(lines)
        assert "::error title=apiops::16 more of this level: see the job summary" == lines[-1]

    def test_errors_come_first(self) -> None:
        levels = [
            line.split()[0] for line in commands(a_finding(severity=Severity.NOTE), a_finding())
        ]
        assert ["::error", "::notice"] == levels


class TestSarif:
    @pytest.mark.parametrize("story", TOLD)
    def test_every_log_is_valid(self, story: Callable[[], Any]) -> None:
        run = sarif.valid(render.render(story(), "sarif"))
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            assert result["ruleId"] == rules[result["ruleIndex"]]["id"]

    def test_a_log_that_is_none_is_told_from_one(self) -> None:
        log = render.render(stories.denied(), "sarif")
        with pytest.raises(jsonschema_rs.ValidationError, match="locations2"):
            sarif.valid(log.replace('"locations"', '"locations2"'))

    @pytest.mark.parametrize("story", TOLD)
    def test_every_result_has_a_place_and_every_rule_its_words(
        self, story: Callable[[], Any]
    ) -> None:
        run = sarif.valid(render.render(story(), "sarif"))
        for result in run["results"]:
            (place,) = result["locations"]
            assert place["physicalLocation"]["artifactLocation"]["uri"]
            assert place["physicalLocation"]["region"]["startLine"] > 0
        for rule in run["tool"]["driver"]["rules"]:
            assert rule["shortDescription"]["text"]
            assert rule["help"]["text"]

    def test_what_is_about_no_place_says_what_it_is_about(self) -> None:
        run = sarif.valid(render.render(ApiopsError("gone", code="AO801", hint="wait"), "sarif"))
        (place,) = run["results"][0]["locations"]
        assert "apiops.toml" == place["physicalLocation"]["artifactLocation"]["uri"]
        assert [{"fullyQualifiedName": "apiops"}] == place["logicalLocations"]

    @pytest.mark.parametrize("path", ["", "/etc/apiops/apiops.toml", "../x.yaml"])
    def test_a_file_that_is_not_of_the_repository_is_not_said_to_be(self, path: str) -> None:
        run = sarif.valid(render.render(Findings((a_finding(path),)), "sarif"))
        (place,) = run["results"][0]["locations"]
        assert "apiops.toml" == place["physicalLocation"]["artifactLocation"]["uri"]
        assert [{"fullyQualifiedName": path}] == place["logicalLocations"]

    def test_a_finding_that_moves_stays_the_same(self) -> None:
        here = replace(a_finding(), location=Location("a.yaml", 99, 1))
        assert known(a_finding()) == known(here)

    def test_equal_findings_of_one_file_are_told_apart(self) -> None:
        assert 2 == len(set(known(a_finding(), a_finding())))

    def test_another_file_is_another_finding(self) -> None:
        assert known(a_finding()) != known(a_finding("b.yaml"))

    def test_paths_are_uris(self) -> None:
        run = json.loads(render.render(Findings((a_finding("a b/ö%.yaml"),)), "sarif"))["runs"][0]
        place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        assert "a%20b/%C3%B6%25.yaml" == place["uri"]

    def test_what_is_too_much_is_left_out_and_said(self) -> None:
        many = Findings(tuple(a_finding(f"{n}.yaml") for n in range(pipeline.SHOWN + 3)))
        run = json.loads(render.render(many, "sarif"))["runs"][0]
        assert pipeline.SHOWN == len(run["results"])
        (notice,) = run["invocations"][0]["toolExecutionNotifications"]
        assert notice["message"]["text"].startswith("3 more")

    def test_rules_explain_themselves(self) -> None:
        (rule,) = json.loads(render.render(Findings((a_finding(),)), "sarif"))["runs"][0]["tool"][
            "driver"
        ]["rules"]
        assert codes.ALL["AO203"].fix == rule["help"]["text"]


def known(*found: Diagnostic) -> list[str]:
    run = json.loads(render.render(Findings(found), "sarif"))["runs"][0]
    return [result["partialFingerprints"]["apiops/v1"] for result in run["results"]]


class TestJunit:
    def test_the_counts_are_those_of_the_cases(self) -> None:
        for story in TOLD:
            (suite,) = ET.fromstring(render.render(story(), "junit"))
            cases = suite.findall("testcase")
            assert int(suite.attrib["tests"]) == len(cases) > 0
            assert int(suite.attrib["failures"]) == sum(
                c.find("failure") is not None for c in cases
            )
            assert int(suite.attrib["skipped"]) == sum(c.find("skipped") is not None for c in cases)

    def test_a_denied_change_fails_and_another_of_the_plan_passes(self) -> None:
        (suite,) = ET.fromstring(render.render(stories.denied(), "junit"))
        limits, orders = suite.findall("testcase")
        (failure,) = limits.findall("failure")
        assert "AO599" == failure.attrib["type"]
        assert orders.find("failure") is None

    def test_a_deployment_that_waits_is_skipped(self) -> None:
        (suite,) = ET.fromstring(render.render(stories.partly(), "junit"))
        assert ["AO699 needs ApiProxy/assistant/chat"] == [
            skipped.attrib["message"] for skipped in suite.iter("skipped")
        ]


class TestGitlab:
    def test_a_plan_is_three_numbers(self) -> None:
        counts = json.loads(render.render(stories.guarded(), "gitlab"))
        assert {"create": 0, "update": 0, "delete": 12} == counts

    def test_findings_are_a_code_quality_report(self) -> None:
        issues = json.loads(render.render(stories.invalid(), "gitlab"))
        assert 3 == len({issue["fingerprint"] for issue in issues})
        assert {"critical", "minor"} == {issue["severity"] for issue in issues}
        assert all(issue["location"]["lines"]["begin"] >= 1 for issue in issues)


def test_an_error_that_carries_diagnostics_is_told_by_them() -> None:
    fault = SpecInvalid("wrong", code="AO201", diagnostics=[a_finding()])
    assert [("AO203", "a.yaml:3:5")] == [(r.code, str(r.location)) for r in remarks.of(fault)]


def test_what_has_no_remarks_says_so() -> None:
    with pytest.raises(LookupError):
        render.render(stories.doctor(), "sarif")
