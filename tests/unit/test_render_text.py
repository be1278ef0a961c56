"""Text for a terminal: harmless, aligned, and short enough to read."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest

from apiops import render
from apiops.errors import SpecInvalid
from apiops.model.access import Cause, Judgement, Trust, Verdicts
from apiops.model.diagnostic import Diagnostic, Location
from apiops.model.outcome import Outcome, Result, RunReport
from apiops.model.plan import Action, Change, FieldChange, GuardFinding
from apiops.model.resource import ResourceId
from apiops.model.secret import SecretLeaf
from apiops.model.view import AuditTrail, Findings, PlanView
from apiops.render import words
from apiops.render.ink import Ink, Page, clean, wanted
from tests.golden import stories


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(value: object) -> str:
    return render.render(value, "text")


def an_update(*fields: FieldChange) -> PlanView:
    change = Change(Action.UPDATE, ResourceId("ApiProxy", "payments", "orders"), fields=fields)
    return PlanView(stories.a_plan(change))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("plain ünïcode", "plain ünïcode"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines", r"two\nlines"),
        ("\u202egnirts", r"\u202egnirts"),
        ("\x9b2J", r"\x9b2J"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(written: str, text: str) -> None:
    assert text == clean(written)


def test_a_page_adds_colour_and_nothing_else() -> None:
    page = Page()
    page.line("a ", ("delete", Ink.REMOVE))

    assert "a delete\n" == page.text()
    assert "a \x1b[31mdelete\x1b[0m\n" == page.text(colour=True)


def test_a_page_has_no_gap_at_its_ends_and_no_two_in_a_row() -> None:
    page = Page()
    page.gap()
    page.line("a")
    page.gap()
    page.gap()

    assert "a\n" == page.text()


@pytest.mark.parametrize(
    ("choice", "environment", "colour"),
    [
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
        ("auto", {}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {"TERM": "dumb"}, False),
    ],
)
def test_colour_follows_the_flag_then_the_environment(
    choice: str, environment: dict[str, str], colour: bool, environ: Callable[..., None]
) -> None:
    environ(NO_COLOR=None, FORCE_COLOR=None, COLORTERM=None, TERM="xterm")
    environ(**environment)

    assert colour is wanted(Terminal(), choice=choice)


def test_what_is_not_a_terminal_gets_no_colour(environ: Callable[..., None]) -> None:
    environ(FORCE_COLOR=None)

    assert not wanted(io.StringIO())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unset"),
        ("100", '"100"'),
        (100, "100"),
        (True, "true"),
        ("a\nb", r'"a\nb"'),
        ({"a": [1, "x"]}, '{"a": [1, "x"]}'),
        (SecretLeaf("production").node(), "(hidden)"),
        ([SecretLeaf("production").node()], '["(hidden)"]'),
        ("x" * 1200, f'"{"x" * 59}… (1,200 characters)'),
    ],
)
def test_a_value_is_one_short_line_that_cannot_be_taken_for_another(
    value: object, text: str
) -> None:
    assert text == words.value(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (1500, "1,500 entries")],
)
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert text == words.plural(number, "entry")


def test_a_long_run_is_told_in_minutes() -> None:
    assert "2 min 5 s" == words.seconds(125)


def test_a_secret_inside_a_list_item_is_hidden_too() -> None:
    before = [{"name": "a", "password": {"$secret": {"anything": "plaintext"}}}]

    assert "plaintext" not in shown(an_update(FieldChange("spec.users", before, None)))


def test_a_secret_in_place_of_a_plain_value_shows_the_plain_one_only() -> None:
    field = FieldChange("spec.password", "changeme", SecretLeaf("production").node())

    assert '"changeme" → (hidden)' in shown(an_update(field))


def test_advice_is_the_first_thing_to_try_and_where_to_read_on() -> None:
    assert words.advice("AO802").endswith("(apiops explain AO802)")
    assert "apiops explain AO000" == words.advice("AO000")


def test_more_than_three_people_are_counted() -> None:
    view = stories.creation()
    assert view.verdicts is not None
    people = ("ann", "bob", "cem", "dia", "eve")
    judged = replace(view.verdicts.judgements[0], principals=people)
    view = replace(view, verdicts=replace(view.verdicts, judgements=(judged,)))

    assert "by ann, bob, cem, 2 more" in shown(view)


def test_a_work_tree_is_never_offered_for_applying() -> None:
    plan = stories.a_plan(stories.ORDERS)
    plan = replace(plan, head=replace(plan.head, commit="", subject=""))

    assert "Only a commit can be applied" in shown(PlanView(plan))
    assert "--approve" not in shown(PlanView(plan))


def test_a_guard_that_nothing_overrides_does_not_name_the_flag() -> None:
    plan = stories.a_plan(guards=(GuardFinding("AO604", "inventory", "not ours"),))

    assert "it cannot be overridden" in shown(PlanView(plan))
    assert "Live matches" not in shown(PlanView(plan))


def test_all_other_projects_are_told_in_words() -> None:
    plan = replace(stories.a_plan(), stopped={"*": "AO308", "payments": "AO308"})

    assert "any other project is neither planned nor pruned" in shown(PlanView(plan))
    assert "project *" not in shown(PlanView(plan))


def test_an_environment_that_is_named_otherwise_is_said() -> None:
    plan = stories.a_plan(stories.ORDERS, target="eu-1")

    assert "for eu-1 (environment production)" in shown(PlanView(plan))


def test_the_position_of_a_field_in_another_file_is_given_in_full() -> None:
    field = FieldChange("spec.a", 1, 2, location=Location("targets/test/patch.yaml", 4, 2))

    assert "targets/test/patch.yaml:4" in shown(an_update(field))


def test_the_caret_stands_below_its_column() -> None:
    found = Diagnostic("AO203", "m", Location("a.yaml", 7, 3), excerpt="a:\tb", width=99)
    *_, line, caret, _ = shown(Findings((found,))).split("\n└")[0].splitlines()[:5]

    assert "7 │ a: b" == line
    assert "  │   ^^" == caret


def test_a_long_line_is_shown_around_its_column() -> None:
    found = Diagnostic("AO203", "m", Location("a.yaml", 7, 151), excerpt="x" * 150 + "Y" * 150)
    lines = shown(Findings((found,))).splitlines()

    assert "7 │ " + "x" * 36 + "Y" * 36 == lines[2]
    assert "Y" == lines[2][lines[3].index("^")]


def test_invalid_specifications_show_their_findings() -> None:
    findings = stories.invalid()
    fault = SpecInvalid("3 findings", code="AO999", diagnostics=findings.diagnostics)

    assert shown(findings).split("\n\n")[:3] == shown(fault).split("\n\n")[:3]


def test_an_audit_entry_shows_a_changed_secret_by_its_fingerprint_alone() -> None:
    old, new = (SecretLeaf("production", fingerprint=mark, blob=mark) for mark in ("f1", "f2"))
    same = SecretLeaf("production", fingerprint="f1", blob="re-encrypted")
    entry = stories.one_entry()

    changed = replace(entry, before={"key": old.node()}, after={"key": new.node()})
    encrypted = replace(entry, before={"key": old.node()}, after={"key": same.node()})

    assert "key   changed (hidden)" in shown(changed)
    assert "(hidden)" not in shown(encrypted)


def test_an_audit_entry_shows_lists_by_index_and_says_when_there_is_more() -> None:
    after = {"hosts": [{"port": number} for number in range(70)]}
    text = shown(replace(stories.one_entry(), before=None, after=after))

    assert "hosts[1].port    unset → 1" in text
    assert "… and 10 more: -o json shows all" in text


def test_nothing_found_is_said() -> None:
    assert "No audit entries match.\n" == shown(AuditTrail(()))
    assert "No findings. 3 documents checked.\n" == shown(Findings((), 3))


def test_what_has_no_rendering_is_refused_by_name() -> None:
    with pytest.raises(LookupError, match="int has no rendering"):
        render.render(3, "text")
    with pytest.raises(LookupError, match="no such format: pdf"):
        render.render(stories.unchanged(), "pdf")


def alike(number: int) -> tuple[Judgement, ...]:
    cause = Cause("", "AO531", "payments was never applied, and nobody answers for what is there")
    return tuple(
        Judgement(
            Change(Action.CREATE, ResourceId("ApiProxy", "payments", f"p{n}")),
            allowed=False,
            causes=(cause,),
        )
        for n in range(number)
    )


@pytest.mark.parametrize(("format", "ends"), [("text", "\n"), ("markdown", "`")])
def test_what_is_denied_alike_is_told_once(format: str, ends: str) -> None:
    verdicts = Verdicts(Trust.SIGNED, alike(99))
    changes = (judged.change for judged in verdicts.judgements)
    text = render.render(PlanView(stories.a_plan(*changes), verdicts), format)
    block = text.partition("Permission" if format == "text" else "Denied 99")[2]
    block = block.partition("<details>")[0]

    assert 1 == block.count("never applied")
    assert f"+ ApiProxy/payments/p6{ends}" in block
    assert f"and 92 more changes{ends}" in block
    assert "p7" not in block


def test_a_report_tells_once_what_became_of_neighbours_alike() -> None:
    outcomes = [
        Outcome(judged.change, Result.DENIED, code="AO531", message="nobody answers for it")
        for judged in alike(3)
    ]
    outcomes.append(replace(outcomes[0], result=Result.FAILED))
    lines = render.render(
        RunReport("run", "dev", stories.HEAD, outcomes=tuple(outcomes)), "text"
    ).splitlines()

    told = [number for number, line in enumerate(lines) if "AO531  nobody answers" in line]
    assert [3, 5] == told
