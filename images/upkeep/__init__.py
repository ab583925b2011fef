"""What looks after the store while nobody watches: `sweep`, `scrub` and `orphans`.

Each is a pass with a budget of time and of things touched. It says what it did in a row (`Pass`), which the admin and
``/metrics`` show. A dry run touches nothing. A second pass right after the first changes nothing, and two at once do no
harm. A pass that would call a large part of what it looked at wrong stops and touches nothing: then rather the
database or the folder is wrong (an old backup, a disk that isn't mounted). A sweep, which calls nothing wrong, stops
where it would delete most of the store.
"""
