"""The processes of a fault test: terminal, workers, broker and passes, all of which may be killed."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from secrets import token_hex
from typing import Any

from serving.valkey import answers, valkey_command
from tests.faults.cases import FINE, WORKER_STEPS, Case
from tests.front import Fault, Front
from tests.parts import ROOT, shared_environment, start, wait_until

PATIENCE = 60.0  # seconds, on a busy machine; nothing takes them when all is well


@dataclass
class Broker:
    """A Valkey of its own, which is killed and comes back with nothing in it."""

    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder.with_name("broker.sock")

    def start(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.process = start(
            valkey_command(data=self.folder, unix_socket=self.socket),
            ready=lambda: answers(self.socket),
            log=self.folder.with_name("broker.log"),
            on=self.stack,
        )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def is_lost(self) -> bool:
        """Whether it was killed; it stays so until `start`."""
        assert self.process is not None
        return self.process.poll() == -signal.SIGKILL


class Cluster:
    """Forked processes in the roles of roles.py, on the test database, the front's bucket and a broker of its own."""

    def __init__(self, front: Front, folder: Path) -> None:
        from tests.faults import roles

        self.roles = roles
        self.front, self.folder = front, folder
        self.broker = Broker(folder / "broker")
        self.broker.start()
        self.workers: list[ForkServerProcess] = []
        self.actor: ForkServerProcess | None = None
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["pytest", "tests.faults.preload"])
        told = {
            **shared_environment(),
            **front.bucket.environment,
            "REDIS_URL": f"unix://{self.broker.socket}",
            "PYTHONPATH": str(ROOT),
            "CELERY_SKIP_CHECKS": "1",  # a worker's start takes half as long
        }
        before = dict(os.environ)
        os.environ.update(told)
        try:
            from multiprocessing.forkserver import ensure_running

            ensure_running()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def act(self, act: Callable[..., None], *arguments: Any) -> int:
        """Has the actor do one act; 0, or the exit code of an actor that ended in it (negative: what killed it)."""
        if self.actor is None:
            self.orders, its_end = self.context.Pipe()
            self.actor = self.context.Process(target=self.roles.actor, args=(its_end,), daemon=False)
            self.actor.start()
            its_end.close()
        self.orders.send((act, arguments))
        assert self.orders.poll(PATIENCE), f"{act.__name__} did not end"
        try:
            self.orders.recv()
        except EOFError:
            actor, self.actor = self.actor, None
            actor.join(PATIENCE)
            assert actor.exitcode is not None
            return actor.exitcode
        return 0

    def dismiss_actor(self) -> None:
        """With all that it might still do later, after the case."""
        if self.actor is not None:
            self.actor.kill()
            self.actor.join()
            self.actor = None

    def have_workers(self, number: int) -> None:
        """So many workers run; those that were killed are replaced."""
        self.workers = [worker for worker in self.workers if worker.is_alive()]
        for superfluous in self.workers[number:]:
            superfluous.kill()
            superfluous.join()
        del self.workers[number:]
        while len(self.workers) < number:
            name = f"worker-{token_hex(4)}@faults"
            process = self.context.Process(target=self.roles.worker, args=(name,), name=name, daemon=False)
            process.start()
            self.workers.append(process)

    def wait_for_workers(self) -> None:
        """Until each of them takes messages."""
        ready = [self.folder / f"{worker.name}.ready" for worker in self.workers]
        wait_until(lambda: all(path.exists() for path in ready), seconds=PATIENCE, what="ready workers")

    def close(self) -> None:
        self.dismiss_actor()
        self.have_workers(0)
        self.broker.stack.close()


@dataclass
class Ledger:
    """What happened in a case, as its processes noted it."""

    path: Path

    def about(self, *whats: str) -> list[str]:
        """The second words of the lines that begin with one of ``whats``."""
        if not self.path.exists():
            return []
        lines = [line.partition(" ") for line in self.path.read_text().splitlines()]
        return [rest for what, _, rest in lines if what in whats]

    @property
    def killed(self) -> bool:
        return bool(self.about("killed"))


@dataclass
class Run:
    """One case on the cluster, and what happened in it."""

    cluster: Cluster
    case: Case
    photo_id: str
    whole_worker: bool = True
    fault: Fault | None = None
    gone: set[str] = field(default_factory=set)  # messages that nobody gets any more, or not for minutes
    broker_lost: bool = False
    buried: bool = False
    minutes: int = 0

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.cluster.folder / f"ledger-{self.photo_id}")
        self.in_worker = self.case.killed in WORKER_STEPS
        self.loses_broker = self.case.broker == "lost"
        self.tell()
        if self.case.storage != FINE:
            method, prefix = self.case.request
            self.fault = self.cluster.front.fail(self.case.storage, method, prefix)  # type: ignore[arg-type]

    def tell(self) -> None:
        self.cluster.roles.Control(
            photo_id=self.photo_id,
            step=self.case.killed,
            ledger=str(self.ledger.path),
            whole_worker=self.whole_worker,
            broker=self.cluster.broker.pid if self.loses_broker and self.in_worker else 0,
            copies=2 if self.case.delivery == "twice" else 1,
        ).write()

    @property
    def workers(self) -> int:
        return 2 if self.case.workers == "two" else 1

    def faults_struck(self) -> int:
        return (self.fault.struck if self.fault else 0) + self.ledger.killed + self.broker_lost

    # --- What is done ---
    def flow(self, token: str, album_id: str, body: dict[str, Any], data: bytes) -> int:
        """From registering to the end of what the first messages bring; the exit code of the terminal's process."""
        self.cluster.have_workers(self.workers)
        if self.workers > 1:
            self.cluster.wait_for_workers()
        if self.loses_broker and not self.in_worker:
            self.lose_broker()
        code = self.cluster.act(self.cluster.roles.terminal, token, album_id, body, data)
        if self.case.delivery == "twice" and not self.ledger.about("sent"):
            self.cluster.act(self.cluster.roles.stray, self.photo_id)
        self.wait_for_messages()
        return code

    def lose_broker(self) -> None:
        os.kill(self.cluster.broker.pid, signal.SIGKILL)
        wait_until(self.cluster.broker.is_lost, what="the broker's end")
        self.broker_lost = True

    def wait_for_messages(self) -> None:
        """Waits until no message is under way, so far as messages are known."""
        wait_until(self.is_quiet, seconds=PATIENCE, what=f"the end of all messages of {self.case}")

    def is_quiet(self) -> bool:
        if self.in_worker and self.ledger.killed and not self.buried:
            self.bury()
        left = set(self.ledger.about("sent")) - set(self.ledger.about("acked")) - self.gone
        return not left

    @property
    def kills_main(self) -> bool:
        return self.in_worker and (self.whole_worker or self.case.killed == "before ack")

    def bury(self) -> None:
        """Sees the end of those who were killed at a worker's step; a broker begins anew, without its messages."""
        if self.kills_main:
            wait_until(lambda: not all(worker.is_alive() for worker in self.cluster.workers), what="the worker's end")
        if self.loses_broker:
            wait_until(self.cluster.broker.is_lost, what="the broker's end")
            self.broker_lost = True
            self.gone = set(self.ledger.about("sent"))
            self.cluster.broker.start()
        elif self.kills_main:
            self.gone = set(self.ledger.about("killed"))  # the broker waits minutes for its main process
        self.cluster.have_workers(self.workers)
        self.buried = True

    def one_pass(self) -> dict[str, int]:
        """A pass of reconciliation, later than the last, and what its messages bring."""
        # After the leases first, and after the upload window then.
        self.minutes = {0: 3, 3: 24}.get(self.minutes, self.minutes + 3)
        code = self.cluster.act(self.cluster.roles.scan, self.minutes)
        assert code == 0, f"a pass ended with {code}"
        if self.broker_lost and self.cluster.broker.is_lost():
            self.cluster.broker.start()  # one pass saw it gone; one that a worker's step has just taken is buried
        self.wait_for_messages()
        counts: dict[str, int] = json.loads(self.ledger.about("pass")[-1])
        return counts
