"""JSON for machines: a version, a kind, and values that can be read back."""

import json
from dataclasses import replace

from apiops import render
from apiops.errors import SpecInvalid
from apiops.model import codec
from apiops.model.audit import AuditEntry
from apiops.model.plan import FieldChange, Plan
from apiops.model.view import PlanView
from apiops.ports import Event
from apiops.render import machine
from tests.golden import stories


def test_every_document_says_its_version_and_kind() -> None:
    kinds = {
        story: json.loads(render.render(tell(), "json")) for story, tell in stories.STORIES.items()
    }

    assert {"1.0"} == {document["format_version"] for document in kinds.values()}
    assert "plan" == kinds["create"]["kind"]
    assert "diagnostics" == kinds["invalid"]["kind"]
    assert "report" == kinds["partial"]["kind"]
    assert "error" == kinds["error"]["kind"]


def test_a_plan_can_be_read_back_from_its_document() -> None:
    view = stories.creation()
    document = json.loads(render.render(view, "json"))

    assert view.plan == codec.load(Plan, document["plan"])


def test_a_judgement_names_its_change_instead_of_repeating_it() -> None:
    document = json.loads(render.render(stories.denied(), "json"))
    refused, _ = document["permission"]["judgements"]

    assert {
        "resource": "ApiProxy/cards/limits",
        "action": "update",
        "environment": None,
    } == refused["change"]
    assert ["cards"] == document["permission"]["frozen"]


def test_what_json_cannot_say_is_null() -> None:
    change = replace(stories.CORE, fields=(FieldChange("spec.rate", 1.0, float("inf")),))
    document = json.loads(render.render(PlanView(stories.a_plan(change)), "json"))

    assert [None] == [field["after"] for field in document["plan"]["changes"][0]["fields"]]


def test_json_lines_are_one_audit_entry_each() -> None:
    lines = render.render(stories.trail(), "jsonl").splitlines()
    entries = [codec.load(AuditEntry, json.loads(line)["entry"]) for line in lines]

    assert stories.trail().entries == tuple(entries)


def test_other_values_are_one_json_line() -> None:
    assert 1 == len(render.render(stories.doctor(), "jsonl").splitlines())


def test_an_event_is_one_line() -> None:
    document = json.loads(machine.event(Event("apply", "applying payments", 1, 2)))

    assert "event" == document["kind"]
    assert 2 == document["event"]["total"]


def test_an_error_carries_its_diagnostics_and_what_it_means_to_a_shell() -> None:
    found = stories.invalid().diagnostics
    document = json.loads(
        render.render(SpecInvalid("3 findings", code="AO999", diagnostics=found), "json")
    )

    assert 3 == document["error"]["exit_code"]
    assert len(found) == len(document["error"]["diagnostics"])
