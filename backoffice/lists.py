"""Lists of the admin are light: what the theme says of each cell by 400 letters of classes is one class here.

``CLASSES`` are the theme's own, as they come; their rules are in ``backoffice/lists.css`` under our names, which
``tools/lists.py`` makes of the theme's stylesheet. After an update of the theme both are made anew:
``tests/catalog/test_admin_lists.py`` is red until they fit.
"""

import re

from django.utils.html import escape

CLASSES = {
    "list-cell": (
        "align-middle flex border-t border-base-200 font-normal gap-4 items-center min-w-0 "
        "overflow-hidden px-3 py-1.5 h-[45px] text-left before:flex before:capitalize "
        "before:content-[attr(data-label)] before:items-center before:font-semibold "
        "before:text-font-important-light before:mr-auto first:border-t-0 lg:before:hidden "
        "lg:first:border-t lg:table-cell dark:border-base-800 dark:before:text-font-important-dark"
    ),
    "list-tick-cell": (
        "align-middle flex items-center px-3 py-2 text-left before:block before:capitalize "
        "before:content-[attr(data-label)] before:font-semibold before:mr-auto "
        "before:text-font-important-light lg:before:hidden lg:border-t lg:border-base-200 lg:table-cell "
        "dark:lg:border-base-800 dark:before:text-font-important-dark"
    ),
    "list-tick": (
        "appearance-none bg-white block border border-base-300 h-4 min-w-4 relative rounded-[4px] "
        "shadow-xs w-4 dark:bg-base-900 dark:border-base-700 dark:checked:after:text-white after:absolute "
        "after:content-['check\\_small'] after:flex! after:h-4 after:items-center after:justify-center "
        "after:leading-none after:material-symbols-outlined after:-ml-px after:-mt-px after:text-white "
        "after:w-4 dark:after:text-transparent checked:bg-primary-600 dark:checked:bg-primary-600 "
        "checked:border-primary-600 dark:checked:border-primary-600"
    ),
    "list-switch": (
        "appearance-none bg-base-300 block cursor-pointer h-5 relative rounded-full w-8 min-w-8 "
        "disabled:cursor-not-allowed disabled:opacity-50 focus:outline-none after:absolute after:bg-white "
        "after:content-[''] after:bg-red-300 after:h-3 after:rounded-full after:shadow-xs "
        "after:transition-all after:left-1 after:top-1 after:w-3 checked:bg-green-500 "
        "checked:after:left-4 dark:bg-base-600 dark:checked:bg-green-700"
    ),
    "list-box": (
        "border border-base-200 bg-white font-medium min-w-20 placeholder-base-400 rounded-default "
        "shadow-xs text-font-default-light text-sm focus:outline-2 focus:-outline-offset-2 "
        "focus:outline-primary-600 group-[.errors]:border-red-600 focus:group-[.errors]:outline-red-600 "
        "dark:bg-base-900 dark:border-base-700 dark:text-font-default-dark "
        "dark:group-[.errors]:border-red-500 dark:focus:group-[.errors]:outline-red-500 dark:scheme-dark "
        "group-[.primary]:border-transparent disabled:!bg-base-50 dark:disabled:!bg-base-800 px-3 py-2 "
        "w-full max-w-2xl"
    ),
    "list-row": (
        "block border border-base-200 mb-3 relative rounded-default lg:table-row lg:border-none lg:mb-0 "
        "lg:rounded-none dark:border-base-800"
    ),
}


def lighter(page: str) -> str:
    """The HTML of a list with our classes for the theme's, and without the space between elements."""
    for ours, theirs in CLASSES.items():
        page = page.replace(escape(theirs), ours)
    return re.sub(r"\s{2,}", " ", page)
