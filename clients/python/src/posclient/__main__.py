"""``posclient`` and ``python -m posclient``: the command line, which needs the extra ``cli``."""

import sys


def main() -> None:
    try:
        from ._cli import run
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit("The command line needs: pip install 'posclient[cli]'")
    run()


if __name__ == "__main__":
    main()
