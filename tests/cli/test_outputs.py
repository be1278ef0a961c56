"""One run, several outputs; and what a machine gets when the run ends in an error."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests import sarif
from tests.shop import DENIZ, MERT, Shop, a_proxy

CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")
WRONG = CHANGED.replace("readTimeout", "readTimeoutt")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.begin()
    return made


def test_one_validation_serves_every_reader(shop: Shop) -> None:
    shop.commit(MERT, {"payments/orders.yaml": WRONG})
    done = shop.run(
        "validate", "-o", "github", "-o", "sarif=../s", "-o", "junit=../j", "-o", "gitlab=../g"
    )
    assert 3 == done.code
    assert done.out.startswith("::error file=payments/orders.yaml,line=")
    results = sarif.valid((shop.folder / "s").read_text())["results"]
    assert ["AO203"] == [result["ruleId"] for result in results]
    assert "1" == ET.parse(shop.folder / "j").getroot()[0].attrib["failures"]
    assert ["AO203"] == [one["check_name"] for one in json.loads((shop.folder / "g").read_text())]


def test_a_plan_counts_for_gitlab_and_annotates_for_github(shop: Shop) -> None:
    shop.commit(DENIZ, {"payments/orders.yaml": CHANGED})
    done = shop.run("plan", "-o", "github", "-o", "gitlab=../g")
    assert 4 == done.code
    assert done.out.startswith(
        "::error file=payments/orders.yaml,line=1,col=1,title=apiops AO520::deniz"
    )
    assert {"create": 0, "update": 1, "delete": 0} == json.loads((shop.folder / "g").read_text())


class TestEvents:
    def test_a_run_tells_what_it_does_line_by_line_and_the_report_last(self, shop: Shop) -> None:
        shop.commit(MERT, {"payments/orders.yaml": CHANGED})
        (shop.folder / "e").write_text("old\n")
        done = shop.run("sync", "-q", "-o", "jsonl", "-o", "jsonl=../e")
        assert done.code == 0, done.err
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert {"event"} == {line["kind"] for line in lines[:-1]}
        assert ["load", "read", "reveal", "plan", "judge"] == [
            line["event"]["station"] for line in lines[:5]
        ]
        assert "report" == lines[-1]["kind"]
        assert done.out == (shop.folder / "e").read_text()

    def test_an_error_is_the_last_line(self, shop: Shop) -> None:
        done = shop.run("apply", "--approve", "0000", "-o", "jsonl")
        *_, last = (json.loads(line) for line in done.out.splitlines())
        assert ("error", 5) == (last["kind"], last["error"]["exit_code"])


class TestErrors:
    def test_whoever_waits_for_json_gets_the_error_as_json(self, shop: Shop) -> None:
        done = shop.run("plan", "--ref", "nowhere", "-o", "json")
        assert 3 == done.code
        assert done.json["error"]["code"] in done.err

    def test_a_person_reads_it_once(self, shop: Shop) -> None:
        done = shop.run("plan", "--ref", "nowhere")
        assert ("", 1) == (done.out, done.err.count("error AO"))

    def test_reports_in_files_say_why_there_is_no_plan(self, shop: Shop) -> None:
        done = shop.run("plan", "--ref", "nowhere", "-q", "-o", "markdown=../m", "-o", "github")
        assert "### Error AO" in (shop.folder / "m").read_text()
        assert done.out.startswith("::error title=apiops AO")

    def test_code_scanning_gets_the_error_at_a_place_that_it_takes(self, shop: Shop) -> None:
        done = shop.run("validate", "--ref", "nowhere", "-q", "-o", "sarif")
        (result,) = sarif.valid(done.out)["results"]
        assert (3, "AO8") == (done.code, result["ruleId"][:3])
        assert result["locations"]

    def test_an_artefact_that_was_written_is_kept(self, shop: Shop) -> None:
        done = shop.run("plan", "-o", "json", "--out", "../plan.json")
        assert "plan" == done.json["kind"]


def test_a_format_that_a_verb_has_not_is_refused_with_those_it_has(shop: Shop) -> None:
    done = shop.run("plan", "-o", "sarif")
    assert 64 == done.code
    assert "text, json, markdown, github, gitlab, junit" in done.err
