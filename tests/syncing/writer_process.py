"""One of many writers on PostgreSQL, a process of its own, in plain SQL: ``python -m tests.syncing.writer_process``.

Arguments: the database's URL, who it is, how many transactions, how many milliseconds each stays open before its
commit, and the rows (``table=name``) that each transaction updates, in an order that is another each time.
Says ``ready``, begins when it is told a line, and ends with JSON: how many it committed, how many were deadlocks.
"""

import json
import sys
import time
from random import Random

import psycopg
from psycopg import sql


def main(url: str, who: str, transactions: str, open_ms: str, *rows: str) -> None:
    random, committed, deadlocks = Random(who), 0, 0  # noqa: S311 - the same orders each time
    with psycopg.connect(url, autocommit=True) as connection:
        say("ready")
        sys.stdin.readline()
        while committed < int(transactions):
            try:
                with connection.transaction():
                    for row in random.sample(rows, len(rows)):
                        table, _, name = row.partition("=")
                        update = sql.SQL("UPDATE {} SET position = position + 1 WHERE name = %s")
                        connection.execute(update.format(sql.Identifier(table)), [name])
                    connection.execute("INSERT INTO numbered_by_a_sequence (who) VALUES (%s)", [who])
                    time.sleep(int(open_ms) / 1000)
            except psycopg.errors.DeadlockDetected:
                deadlocks += 1
            else:
                committed += 1
    say(json.dumps({"committed": committed, "deadlocks": deadlocks}))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
