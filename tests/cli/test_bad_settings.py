"""Settings and flags as an unlucky user gives them, and settings found from wherever one stands."""

from pathlib import Path

import pytest

from tests.people import Person
from tests.process import child, mortal
from tests.shop import MERT, SETTINGS, Done, Shop, a_proxy, run


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.begin()
    return shop


def refused(done: Done, code: str, *words: str) -> None:
    assert (64, "") == (done.code, done.out), done.out + done.err
    assert f"error {code}  " in done.err
    for word in words:
        assert word in done.err
    assert "load:" not in done.err, "it began to work before it looked at its flags"


def told(shop: Shop, text: str | bytes, *arguments: str) -> Done:
    """What a command says with these settings."""
    content = text.encode() if isinstance(text, str) else text
    (shop.repository / "apiops.toml").write_bytes(content)
    return shop.run(*(arguments or ("plan", "-q")))


class TestTheFile:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[targets.dev\n", ("is not TOML", "apiops.toml:1:13")),
            (b"\xff\xfe", ("is not TOML",)),
            ("a = " + "[" * 9999, ("nested too deeply",)),
            ("#" * 300_000, ("larger than",)),
            ("targets = 5\n", ("[targets]",)),
            ("[colours]\nred = 1\n", ("unknown table [colours]", "[targets.NAME]")),
            (SETTINGS + 'managr = "x"\n', ('"managr"', 'did you mean "manager"')),
            (SETTINGS + "identities = 5\n", ("identities must be text",)),
            (SETTINGS + 'identities = "a\\u0000b"\n', ("identities must be text",)),
            (SETTINGS + 'key-file = "~nobody-of-that-name/k"\n', ("~nobody-of-that-name",)),
            (
                (
                    '[targets.a]\nmanager = "https://a.example"\nledger = "sqlite:///l.db"\n'
                    '[targets.b]\nmanager = "https://b.example"\nledger = "sqlite:///./l.db"\n'
                ),
                ("[targets.b] has the ledger of [targets.a]", "apiops.toml:6:1", "of its own"),
            ),
            ('outptu = "json"\n' + SETTINGS, ('"outptu"', 'did you mean "output"')),
            ("quiet = 5\n" + SETTINGS, ("quiet must be true or false",)),
            ("ref = true\n" + SETTINGS, ("ref must be text",)),
            ("ref = ['a']\n" + SETTINGS, ("ref must be text",)),
            ('ref = "a\\u0000"\n' + SETTINGS, ("ref holds a null character",)),
        ],
    )
    def test_whatever_is_wrong_in_it_is_named(
        self, shop: Shop, text: str | bytes, words: tuple[str, ...]
    ) -> None:
        refused(told(shop, text), "AO903", *words)

    def test_two_targets_of_one_manager_may_have_one_ledger(self, shop: Shop) -> None:
        shared = 'manager = "https://m.example/"\nledger = "sqlite:///l.db"\n'
        apart = 'manager = "https://%s.example/"\nledger = "git:origin"\n'
        text = f"[targets.a]\n{shared}[targets.b]\n{shared.replace('e/', 'e')}"
        text += f"[targets.c]\n{apart % 'c'}[targets.d]\n{apart % 'd'}"

        assert "AO903" not in told(shop, text, "doctor").err

    def test_a_folder_of_that_name_is_not_overlooked(self, shop: Shop) -> None:
        (shop.repository / "apiops.toml").unlink()
        (shop.repository / "apiops.toml").mkdir()
        refused(shop.run("plan"), "AO903", "cannot be read")

    def test_one_without_permission_is_named(self, shop: Shop) -> None:
        (shop.repository / "apiops.toml").chmod(0)
        done = child("plan", cwd=shop.repository, before=mortal)
        refused(done, "AO903", "Permission denied")

    def test_one_that_was_named_must_be_there(self, shop: Shop) -> None:
        refused(shop.run("plan", "--config", "other.toml"), "AO903", "other.toml")

    def test_any_flag_may_stand_in_it_under_its_long_name(self, shop: Shop) -> None:
        done = told(shop, 'output = "json"\nquiet = true\n' + SETTINGS, "plan")
        assert (0, "") == (done.code, done.err)
        assert "1.0" == done.json["format_version"]

    def test_a_flag_of_another_verb_is_no_fault(self, shop: Shop) -> None:
        settings = "no-prune = true\ndetailed-exitcode = true\n" + SETTINGS
        assert 0 == told(shop, settings, "audit", "list").code

    def test_what_somebody_must_answer_for_is_never_said_by_a_file(self, shop: Shop) -> None:
        """The file comes with the repository: a commit must not approve itself."""
        values = [
            ("yes", "true"),
            ("allow", '["mass-delete"]'),
            ("approve", '"00000000"'),
            ("introduction", '"HEAD"'),
            ("approver", '"ayse"'),
            ("evidence", "'[]'"),
            ("trust", '"committer"'),
            ("as", '"ayse"'),
            ("out", '"../plan.json"'),
        ]
        for name, value in values:
            for verb in ("apply", "audit list"):
                done = told(shop, f"{name} = {value}\n{SETTINGS}", *verb.split())
                refused(done, "AO903", f"cannot say {name}", f"--{name}")

    def test_it_names_no_file_that_is_written(self, shop: Shop) -> None:
        """Who clones a repository and validates it must not find their own files overwritten."""
        mine = shop.folder / "mine.txt"
        mine.write_text("mine")
        settings = f'output = ["text", "json={mine}"]\n{SETTINGS}'
        refused(told(shop, settings, "validate"), "AO903", "output", "-o json=FILE")
        assert "mine" == mine.read_text()

    def test_flag_beats_variable_beats_file(self, shop: Shop) -> None:
        shop.variables["APIOPS_OUTPUT"] = "markdown"
        assert "### Plan" in told(shop, 'output = "json"\n' + SETTINGS, "plan").out
        assert shop.run("plan", "-o", "text").out.startswith("No changes.")


class TestWhereItIsLookedFor:
    def test_a_folder_inside_of_the_repository_will_do(self, shop: Shop) -> None:
        below = shop.repository / "payments/deep/er"
        below.mkdir(parents=True)
        for done in (
            run("plan", "-q", cwd=below),
            run("plan", "-q", "-C", "payments/deep", cwd=shop.repository),
            run("plan", "-q", "-C", "repo", cwd=shop.folder),
        ):
            assert (0, "") == (done.code, done.err)
            assert "No changes." in done.out

    def test_the_nearest_one_counts(self, shop: Shop) -> None:
        below = shop.repository / "payments"
        below.mkdir(exist_ok=True)
        (below / "apiops.toml").write_text("[targets.other]\n")
        refused(run("plan", "-t", "dev", cwd=below), "AO904", "other")

    def test_nothing_above_the_root_is_looked_at(self, shop: Shop) -> None:
        (shop.folder / "apiops.toml").write_text('[targets.evil]\nmanager = "sqlite:///x"\n')
        (shop.repository / "apiops.toml").unlink()
        refused(shop.run("plan"), "AO904", "no apiops.toml")

    def test_relative_paths_in_it_start_at_its_own_folder(self, shop: Shop) -> None:
        settings = shop.folder / "elsewhere/apiops.toml"
        settings.parent.mkdir()
        settings.write_text('key-file = "../dev.db.key"\n' + SETTINGS)
        below = shop.repository / "payments"
        below.mkdir(exist_ok=True)
        done = run("plan", "-q", "--config", "../../elsewhere/apiops.toml", cwd=below)
        assert 0 == done.code, done.err


class TestTheTarget:
    def test_without_one_it_is_asked_for(self, shop: Shop) -> None:
        two = SETTINGS + "[targets.test]\n"
        refused(told(shop, two), "AO904", "which target?", "dev, test", "APIOPS_TARGET")

    def test_a_wrong_one_is_corrected(self, shop: Shop) -> None:
        two = SETTINGS + "[targets.production]\n"
        refused(told(shop, two, "plan", "-t", "prodution"), "AO904", 'did you mean "production"')

    def test_one_without_a_manager_says_what_to_write(self, shop: Shop) -> None:
        refused(told(shop, "[targets.dev]\n"), "AO908", 'manager = "sqlite:///FILE"')


class TestFlags:
    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (["plan", "-o", "yamll"], "AO905", ("yamll", "text, json, markdown")),
            (["plan", "-o", "text", "-o", "json"], "AO905", ("two outputs want stdout",)),
            (["plan", "-o", "text=a", "-o", "json=a"], "AO905", ("two outputs want a",)),
            (["plan", "-o", "json="], "AO905", ("names no file",)),
            (["plan", "-o", "json=none/x.json"], "AO907", ("there is no directory none",)),
            (["plan", "-o", "json=."], "AO907", ("it is a directory",)),
            (["plan", "--out", "none/x.json"], "AO907", ("there is no directory none",)),
            (["plan", "--color", "pink"], "AO910", ("pink", "apiops plan --help")),
            (["plan", "--reff", "x"], "AO910", ("--reff", "--ref")),
            (["plan", "extra"], "AO910", ("extra",)),
            (["plann"], "AO910", ('did you mean "plan"?', "apiops --help")),
            (["audit", "lsit"], "AO910", ("lsit", "list")),
            (["audit", "list", "--limit", "-1"], "AO910", ("--limit",)),
            (["audit", "list", "--since", "yesterday"], "AO910", ("yesterday",)),
            (["audit", "show", "9" * 30], "AO910", ("NUMBER",)),
            (["audit", "show", "9999"], "AO909", ("9999", "audit list")),
            (["apply", "none.json"], "AO910", ("none.json",)),
            (["schema", "ApiProxyy"], "AO902", ('did you mean "ApiProxy"?',)),
            (["schema", "../../etc/passwd"], "AO902", ("there is no kind",)),
            (["schema", "--write", "/proc/none"], "AO907", ("/proc/none",)),
            (["explain", "Nothing.at.all"], "AO902", ("Nothing",)),
            (["completion", "tcsh"], "AO910", ("bash",)),
        ],
    )
    def test_a_slip_is_named_with_the_way_out(
        self, shop: Shop, arguments: list[str], code: str, words: tuple[str, ...]
    ) -> None:
        refused(shop.run(*arguments), code, *words)

    def test_an_output_that_cannot_be_written_is_found_before_anything_is_applied(
        self, shop: Shop
    ) -> None:
        shop.commit(*_a_change())
        refused(shop.run("apply", "--yes", "-o", "json=none/report.json"), "AO907", "none")
        assert "readTimeout" in shop.run("plan").out

    def test_a_folder_without_permission_is_found_too(self, shop: Shop, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
        done = child("plan", "-o", f"json={closed}/x", cwd=shop.repository, before=mortal)
        refused(done, "AO907", "permission denied")

    def test_nobody_is_asked_without_a_terminal(self, shop: Shop) -> None:
        shop.commit(*_a_change())
        for flags in (["--no-input"], []):
            done = shop.run("apply", *flags)
            assert (64, "") == (done.code, done.out)
            assert "AO906" in done.err
            assert "--approve" in done.err

    @pytest.mark.parametrize(
        ("assignments", "exit_code", "words"),
        [
            (["spec.settings.connection.readTimeout=soon"], 3, "AO205"),
            (["spec.readTimeout=5"], 3, "AO203"),
            (["spec.type=null"], 3, "AO204"),
            (["readTimeout=5"], 64, "AO905"),
            (["spec.settings=1", "spec.settings.connection=2"], 64, "AO905"),
            (["spec.description=a", "spec.description=b"], 64, "AO905"),
            (['spec.description={"$secret":{"fingerprint":"apd1.x"}}'], 64, "AO910"),
        ],
    )
    def test_a_change_by_hand_is_checked_like_any_specification(
        self, shop: Shop, assignments: list[str], exit_code: int, words: str
    ) -> None:
        done = _by_hand(shop, "ApiProxy/payments/orders", *assignments)
        assert (exit_code, "") == (done.code, done.out), done.err
        assert words in done.err
        assert "No drift." in shop.run("drift").out

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_a_change_by_hand_has_a_reason(self, shop: Shop, reason: str) -> None:
        refused(_by_hand(shop, "ApiProxy/payments/orders", "spec.x=1", reason=reason), "AO910")

    def test_a_change_by_hand_of_nothing_known_is_refused(self, shop: Shop) -> None:
        done = _by_hand(shop, "ApiProxy/payments/none", "spec.description=x")
        assert 1 == done.code
        assert "AO727" in done.err
        refused(_by_hand(shop, "Nonsense", "spec.description=x"), "AO905", "Kind/project/name")


def _a_change() -> tuple[Person, dict[str, str]]:
    return MERT, {"payments/orders.yaml": a_proxy("orders").replace("Timeout: 60", "Timeout: 90")}


def _by_hand(shop: Shop, resource: str, *assignments: str, reason: str = "why not") -> Done:
    proof = ("--as", "mert", "--sign-key", shop.person_key(MERT), "--reason", reason)
    return shop.run("manager", "set", resource, *assignments, *proof)
