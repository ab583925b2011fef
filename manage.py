#!/usr/bin/env python
"""Django's command line for this server; ``manage.py help`` lists the commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as mistake:  # the operator's, who needs the sentence and no traceback
        sys.exit(str(mistake))


if __name__ == "__main__":
    main()
