"""The rules of the house, held by reading the source: see CONTRIBUTING.md for what they are."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apiops import errors
from apiops.model import codes

ROOT = Path(__file__).parents[2]
PACKAGE = sorted((ROOT / "apiops").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EVERYTHING = [
    *PACKAGE,
    *(
        file
        for name in ("tests", "benchmarks", "examples", "deploy")
        for file in (ROOT / name).rglob("*.py")
    ),
]
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
EXCEPTIONS = frozenset(
    {
        # A migration is history: written once, read from top to bottom, never changed.
        "apiops/manager/migrations/versions/0001_tables_and_walls.py:upgrade",
    }
)
"""`path` or `path:function` that may be longer, each with its reason."""

ALLOWANCES = {"type: ignore": 0, "noqa": 13, "pragma: no cover": 0}
"""How often each way out of a rule is taken in apiops/. Lower it when one goes."""

SLOW = ("pydantic", "pygit2", "sqlalchemy", "jsonschema", "yaml", "urllib3", "fastapi", "uvicorn")
"""What `apiops --help` must not load."""


def inside(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def uses(paths: list[Path], pattern: str) -> set[str]:
    return {hit for path in paths for hit in re.findall(pattern, path.read_text(encoding="utf-8"))}


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lengths = {inside(path): len(path.read_text().splitlines()) for path in PACKAGE}

    assert {} == {
        name: length
        for name, length in lengths.items()
        if length > LONGEST_MODULE and name not in EXCEPTIONS
    }


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{inside(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in PACKAGE
        for node in functions(path)
    }

    assert {} == {
        name: length
        for name, length in lengths.items()
        if length > LONGEST_FUNCTION and name not in EXCEPTIONS
    }


def test_every_module_says_what_lives_in_it() -> None:
    silent = [
        inside(path) for path in PACKAGE if not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert [] == silent


def test_a_module_is_named_for_what_it_holds() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "base", "misc", "tools"}

    assert set() == {inside(path) for path in PACKAGE if path.stem in vague}


def test_verbs_of_another_package_are_called_by_their_module() -> None:
    """`plan.build(...)` says where a reader finds it; types may be imported by name."""
    strangers = {
        f"{inside(path)}: {node.module}.{alias.name}"
        for path in PACKAGE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and path.stem != "__main__"
        and _is_elsewhere(node.module or "", path)
        for alias in node.names
        if alias.name.islower() and not list(_module(node.module or "").glob(f"{alias.name}*"))
    }

    assert set() == strangers


def _is_elsewhere(module: str, path: Path) -> bool:
    """Whether it is a module inside of another package than that of `path`."""
    _, *inner = module.split(".")
    shared = {"model", "errors", "ports", path.relative_to(ROOT / "apiops").parts[0]}
    return module.startswith("apiops.") and len(inner) > 1 and inner[0] not in shared


def _module(name: str) -> Path:
    return ROOT.joinpath(*name.split("."))


def test_only_the_command_line_prints() -> None:
    printers = {
        inside(path)
        for path in PACKAGE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
        and "cli" not in path.parts
    }

    assert set() == printers


def test_tests_use_real_things_and_fakes_but_no_mocks() -> None:
    ways = r"^\s*(?:from|import) (unittest\.mock|mock|pytest_mock)\b"
    mocked = {inside(path) for path in TESTS if re.search(ways, path.read_text(), re.MULTILINE)}

    assert set() == mocked


@pytest.mark.parametrize("way_out", ALLOWANCES)
def test_rules_are_evaded_no_more_often_than_agreed(way_out: str) -> None:
    found = [
        f"{inside(path)}:{number}"
        for path in PACKAGE
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if f"# {way_out}" in line
    ]

    assert ALLOWANCES[way_out] >= len(found), found


def test_every_way_out_of_a_rule_names_the_rule_and_the_reason() -> None:
    reasoned = re.compile(
        r"# (noqa: [A-Z\d, ]+ - |type: ignore\[[\w-]+\]  # |pragma: no cover - )\w"
    )
    bare = [
        f"{inside(path)}:{number}"
        for path in EVERYTHING
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"# (type: ignore|noqa|pragma: no cover)[:\[ ]", line)
        and not reasoned.search(line)
    ]

    assert [] == bare


def test_whatever_catches_everything_says_why() -> None:
    broad = re.compile(r"^\s*except .*\b(BaseException|Exception|BaseExceptionGroup)\b[^#]*$")
    bare = [
        f"{inside(path)}:{number}"
        for path in EVERYTHING
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if broad.search(line)
    ]

    assert [] == bare


def test_nothing_of_ours_is_replaced_in_a_test_without_a_reason() -> None:
    bare = []
    for path in TESTS:
        lines = path.read_text().splitlines()
        bare += [
            f"{inside(path)}:{number}"
            for number, line in enumerate(lines, 1)
            if re.search(r"(patch|monkeypatch)\.(setattr|setitem|context|syspath_prepend)\(", line)
            and "  # " not in line
            and "# " not in lines[number - 2]
        ]

    assert [] == bare


def test_every_code_that_is_used_is_documented_and_the_other_way_round() -> None:
    registry = ROOT / "apiops" / "model" / "codes"
    users = [path for path in PACKAGE if registry not in path.parents]
    used = uses(users, r"\bAO\d{3}\b")

    assert [] == sorted(used - set(codes.ALL)), "used, but not in apiops/model/codes"
    assert [] == sorted(set(codes.ALL) - used), "documented, but nothing says it"


def test_codes_are_unique_and_stand_in_their_family() -> None:
    modules = [path.stem for path in (ROOT / "apiops/model/codes").glob("[!_]*.py")]
    listed = [code.id for name in modules for code in getattr(codes, name).CODES]

    assert sorted(listed) == sorted(set(listed))
    assert {id[:3] for id in listed} <= set(codes.FAMILIES)


def test_every_code_has_a_title_a_reason_and_a_way_out() -> None:
    thin = [
        code.id
        for code in codes.ALL.values()
        if not code.title or len(code.why) < 20 or len(code.fix) < 10
    ]

    assert [] == thin


def test_the_error_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"^ {4}[│├└─ ]*([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    real = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ApiopsError)
    ]

    assert sorted(real) == sorted(drawn)


def test_the_exit_codes_in_the_docstring_are_the_exit_codes() -> None:
    drawn = re.findall(r"^ {4}[│├└─ ]*([A-Z]\w+) .*exit (\d+)", errors.__doc__ or "", re.MULTILINE)

    assert {name: int(getattr(errors, name).exit_code) for name, _ in drawn} == {
        name: int(number) for name, number in drawn
    }


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, contextlib, io\n"
        "from apiops.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert set() == set(SLOW) & set(done.stdout.split())


@pytest.mark.slow
def test_imports_go_down_only() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout
