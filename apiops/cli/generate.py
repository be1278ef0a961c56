"""`make generate`: rewrite every checked-in file that comes from code.

`tests/docs` compares the same pages with what is checked in, so a stale one fails the build.
"""

from pathlib import Path

import click


def pages() -> dict[str, str]:
    """Path in the repository → text, for everything that is generated."""
    from apiops.cli import reference
    from apiops.render import reference as codes
    from apiops.spec import generate

    return {
        **generate.files(),
        **{name: page() for name, page in codes.PAGES.items()},
        **reference.pages(),
    }


def main(root: Path = Path()) -> None:
    """Write what differs and say so."""
    for name, text in pages().items():
        file = root / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            click.echo(f"wrote {name}")


if __name__ == "__main__":
    main()
