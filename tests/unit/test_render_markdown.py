"""Markdown for a pull request: what matters is above the fold, and nothing comes to life."""

import re
from dataclasses import replace

from apiops import render
from apiops.model.access import Trust
from apiops.model.outcome import RunReport
from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId
from apiops.model.view import AuditTrail, PlanView
from tests.golden import stories


def shown(value: object) -> str:
    return render.render(value, "markdown")


def above_the_fold(text: str) -> str:
    return text.partition("<details>")[0]


def deletes(number: int) -> PlanView:
    return PlanView(
        stories.a_plan(
            *(
                Change(Action.DELETE, ResourceId("Connection", "payments", f"old-{n}"))
                for n in range(number)
            )
        )
    )


def test_the_first_line_marks_the_comment_of_a_target() -> None:
    assert "<!-- apiops:plan:production -->" == shown(stories.creation()).splitlines()[0]


def test_a_target_cannot_end_the_marker() -> None:
    view = replace(stories.creation(), plan=stories.a_plan(stories.ORDERS, target="x --> <b>"))

    assert re.fullmatch("<!-- apiops:plan:[x-]+b- -->", shown(view).splitlines()[0])


def test_counts_deletes_and_denials_stand_above_the_fold() -> None:
    assert "**1 create · 1 update" in above_the_fold(shown(stories.denied()))
    assert "**Denied 1**" in above_the_fold(shown(stories.denied()))
    assert "`Connection/payments/legacy-07`" in above_the_fold(shown(stories.guarded()))
    assert "spec.settings.limit" not in above_the_fold(shown(stories.denied()))


def test_many_deletes_are_counted_above_the_fold_and_listed_in_it() -> None:
    text = shown(deletes(60))

    assert "- and 10 more, below" in above_the_fold(text)
    assert "old-59" not in above_the_fold(text)
    assert "old-59" in text


def test_a_cell_cannot_break_its_table() -> None:
    view = PlanView(
        stories.a_plan(replace(stories.ORDERS, id=ResourceId("ApiProxy", "a|b", "`x`\n| y |")))
    )
    rows = [line for line in shown(view).splitlines() if line.startswith("| ")]

    assert {4} == {len(re.findall(r"(?<!\\)\|", row)) for row in rows}


def test_names_are_believed_is_said_above_the_fold() -> None:
    view = stories.believed()
    assert view.verdicts is not None
    assert Trust.COMMITTER is view.verdicts.trust

    assert "Names are believed" in above_the_fold(shown(view))


def test_a_run_with_nothing_to_do_says_so() -> None:
    report = RunReport("run-1", "production", stories.HEAD, seconds=0.1)

    marker, title, *_ = shown(report).splitlines()
    assert "<!-- apiops:report:production -->" == marker
    assert title.startswith("### Nothing to apply to production at 8d2f01c in 0.1 s.")


def test_an_empty_trail_says_so() -> None:
    assert "No audit entries match.\n" == shown(AuditTrail(()))


def test_what_was_cut_is_counted_and_the_reader_sent_on() -> None:
    text = render.render(deletes(2000), "markdown", full="The job's artifact has the rest.")

    assert re.search(r"\*\*Cut here: [\d,]+ more lines\.\*\* The job's artifact", text)
