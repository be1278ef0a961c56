"""`python -m apiops` is `apiops`."""

from apiops.cli.main import main

if __name__ == "__main__":
    main()
