#!/usr/bin/env python
"""Django's command line for this server; ``manage.py help`` lists the commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as mistake:  # the operator's, who needs the sentence and no traceback
        sys.exit(str(mistake))
    except OperationalError as error:
        if not any(words in str(error) for words in ("readonly database", "unable to open database file")):
            raise
        sys.exit(
            f"The database file in DATA_DIR can't be written ({error}). Look at the disk, and whose the folder is."
        )


if __name__ == "__main__":
    main()
