#!/usr/bin/env python
"""Django's command line for this server; ``manage.py help`` lists the commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    from serving.claims import AlreadyServed, NeverServed, check_before_settings

    try:
        check_before_settings(sys.argv[1:])
        execute_from_command_line(sys.argv)
    # The operator's mistakes, who needs the sentence and no traceback.
    except (ImproperlyConfigured, AlreadyServed, NeverServed) as mistake:
        sys.exit(str(mistake))
    except (OperationalError, ProgrammingError) as error:
        if "no such table" in str(error) or ('relation "' in str(error) and "does not exist" in str(error)):
            sys.exit(f"The database lacks a table ({error}): no server of this version has run on it.")
        if not any(words in str(error) for words in ("readonly database", "unable to open database file")):
            raise
        sys.exit(
            f"The database file in DATA_DIR can't be written ({error}). Look at the disk, and whose the folder is."
        )


if __name__ == "__main__":
    main()
