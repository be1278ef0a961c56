"""A plan as a file: read back as it was, or refused."""

from pathlib import Path

import orjson
import pytest

from apiops.errors import PlanRefused
from apiops.model.diagnostic import Location
from apiops.model.plan import FieldChange, GuardFinding
from apiops.plan import file
from tests.builders import a_change, a_plan

PLAN = a_plan(
    a_change(
        fields=(
            FieldChange("spec.a", {"deep": [1, 2.5, None]}, "é", location=Location("a.yaml", 3)),
        ),
        serial=4,
        digest="d" * 64,
        uncompared=("spec.token",),
    ),
    base={"payments": "b" * 40},
    guards=(GuardFinding("AO601", "empty", "nothing", overridden=True),),
    stopped={"cards": "AO201"},
    unchanged=12,
)


def altered(change):
    tree = orjson.loads(file.to_json(PLAN))
    change(tree)
    return orjson.dumps(tree)


def code_of(content):
    with pytest.raises(PlanRefused) as refused:
        file.from_json(content)
    assert refused.value.hint
    return refused.value.code


def test_a_plan_reads_back_as_it_was(tmp_path: Path):
    path = tmp_path / "plan.json"
    path.write_bytes(file.to_json(PLAN))
    assert file.from_json(path.read_bytes()) == PLAN


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="half"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\xff\xfe", id="not-utf-8"),
        pytest.param(b'{"format_version": "1.0"}', id="no-plan"),
        pytest.param(b'{"format_version": "1.0", "plan": {}}', id="no-fields"),
        pytest.param(
            b'{"format_version": "1.0", "plan": ' + b"[" * 5000 + b"]" * 5000 + b"}", id="deep"
        ),
        pytest.param(altered(lambda tree: tree.update(format_version="2.0")), id="next-format"),
        pytest.param(altered(lambda tree: tree.pop("format_version")), id="no-format"),
        pytest.param(altered(lambda tree: tree["plan"].pop("lineage")), id="a-field-is-missing"),
        pytest.param(altered(lambda tree: tree["plan"].update(changes="all")), id="a-wrong-type"),
    ],
)
def test_what_is_no_plan_is_refused(content):
    assert code_of(content) == "AO623"


def test_a_file_that_is_too_large_is_refused_unread():
    assert code_of(b" " * (file.LIMIT + 1)) == "AO623"


def test_values_that_are_too_deep_to_compare_are_refused():
    deep: list = []
    for _ in range(600):
        deep = [deep]
    content = altered(lambda tree: tree["plan"]["changes"][0]["fields"][0].update(before="DEEP"))
    assert code_of(content.replace(b'"DEEP"', b"[" * 600 + b"]" * 600)) == "AO623"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda plan: plan.update(digest="0" * 64), id="the-digest"),
        pytest.param(lambda plan: plan.update(digest=""), id="no-digest"),
        pytest.param(lambda plan: plan.update(guards=[]), id="a-guard-is-dropped"),
        pytest.param(lambda plan: plan.update(permissions="f" * 64), id="the-permissions"),
        pytest.param(lambda plan: plan["base"].update(payments="c" * 40), id="the-base"),
        pytest.param(lambda plan: plan["head"].update(commit="c" * 40), id="the-head"),
        pytest.param(lambda plan: plan["changes"][0].update(serial=5), id="a-serial"),
        pytest.param(lambda plan: plan["changes"][0].update(action="delete"), id="an-action"),
        pytest.param(lambda plan: plan["changes"].clear(), id="a-change-is-dropped"),
    ],
)
def test_an_altered_plan_is_refused(change):
    assert code_of(altered(lambda tree: change(tree["plan"]))) == "AO624"


def test_fields_of_a_later_minor_version_are_ignored():
    content = altered(lambda tree: (tree.update(more=1), tree["plan"].update(more=1)))
    assert file.from_json(content) == PLAN


def test_a_fault_does_not_repeat_what_stands_in_the_file():
    content = altered(lambda tree: tree["plan"].update(unchanged="s3cr3t"))
    with pytest.raises(PlanRefused) as refused:
        file.from_json(content)
    assert "s3cr3t" not in refused.value.message
