"""Upkeep of the stored images: `sweep`, `scrub` and `orphans`.

Each is a pass with a budget of time and of things touched. A pass notes what it did in a row (`Pass`), which the admin
and ``/metrics`` show. A dry run touches nothing. A second pass right after the first changes nothing, and two passes at
once do no harm.

A pass that finds a large part of what it looked at wrong stops before it touches anything: the database or the folder
is more likely to be wrong then (an old backup, a disk that isn't mounted). A sweep stops where it would delete most of
the store.
"""
