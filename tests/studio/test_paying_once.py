"""Nobody pays twice without having asked for it, and nobody spends more than the limit: what reached the provider is
counted by the provider."""

import signal
import subprocess
import sys
from datetime import datetime, timedelta
from functools import partial
from threading import Thread

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from studio import allowance, pipeline, reconciliation, services, storing
from studio.models import Allowance, Call, Held, Item, Status
from studio.providers.base import Answer
from tests.parts import ROOT, shared_environment
from tests.studio.killed_process import STEPS
from tests.studio.provider import Running, picture

from .conftest import Ask

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = "outcome_unknown"


def used(owner_id: int) -> int:
    row = Allowance.objects.filter(owner_id=owner_id).first()
    return row.used if row else 0


def again(item: Item) -> Item:
    return Item.objects.get(pk=item.pk)


@pytest.mark.parametrize(
    ("words", "call", "status", "error", "counted"),
    [
        ("fine", "answered", "ready", "", 1),
        ("[url]", "answered", "ready", "", 1),
        ("[429]", "refused", "pending", "provider_busy", 1),
        ("[500]", "refused", "pending", "provider_busy", 1),
        ("[503]", "refused", "pending", "provider_busy", 1),
        ("[401]", "refused", "failed", "provider_refused", 0),
        ("[404]", "refused", "failed", "provider_refused", 0),
        ("[insufficient_quota]", "refused", "failed", "provider_refused", 0),
        ("[moderation_blocked]", "refused", "failed", "prompt_refused", 0),
        ("[no-picture]", "answered", "failed", "no_picture", 1),
        ("[malformed]", "answered", "failed", "no_picture", 1),
        ("[away]", "answered", "failed", "no_picture", 1),
        ("[cut]", "unanswered", "failed", UNKNOWN, 1),
        ("[cut-in-answer]", "unanswered", "failed", UNKNOWN, 1),
        ("[502]", "unanswered", "failed", UNKNOWN, 1),
        ("[504]", "unanswered", "failed", UNKNOWN, 1),
    ],
)
def test_each_outcome_has_its_call_its_state_and_its_price(
    paid: Running, manager: User, ask: Ask, words: str, call: str, status: str, error: str, counted: int
) -> None:
    item = ask(words)

    pipeline.generate(item_id=item.pk)
    pipeline.generate(item_id=item.pk)  # the message came twice
    reconciliation.scan()

    item = again(item)
    assert (item.status, item.error) == (status, error)
    assert [found.status for found in Call.objects.all()] == [call]
    assert paid.count() == 1
    assert (used(manager.pk), used(allowance.ALL)) == (counted, counted)
    assert (item.stored_at is not None) == (status == "ready")


def test_a_provider_that_cant_be_reached_is_asked_again_by_itself_and_costs_nothing(
    paid: Running, settings: LazySettings, manager: User, ask: Ask
) -> None:
    settings.STUDIO_BASE_URL = "http://127.0.0.1:9/v1"
    item, now, pauses = ask(), timezone.now(), []
    while again(item).status == Status.PENDING:
        pipeline.generate(item_id=item.pk, clock=partial(datetime.fromisoformat, now.isoformat()))
        if (until := again(item).queued_until) is not None:
            pauses.append((until - now).total_seconds())
            assert reconciliation.scan(now=now).queued == 0
            now = until
            assert reconciliation.scan(now=now).queued == 1
    assert pauses == [5, 20, 80, 320]
    assert again(item).error == "provider_unreachable"
    assert (used(manager.pk), paid.count()) == (0, 0)
    assert {call.status for call in Call.objects.all()} == {"refused"}

    settings.STUDIO_BASE_URL = paid.openai
    services.retry(owner_id=manager.pk, item_id=item.pk, now=now)
    pipeline.generate(item_id=item.pk)
    assert (again(item).status, used(manager.pk), paid.count()) == ("ready", 1, 1)


def test_a_busy_provider_says_when(paid: Running, ask: Ask) -> None:
    item, now = ask("[429]"), timezone.now()
    pipeline.generate(item_id=item.pk, clock=lambda: now)
    assert again(item).queued_until == now + timedelta(seconds=7)  # its Retry-After


def test_of_twenty_at_once_with_one_left_one_passes(paid: Running, settings: LazySettings, manager: User) -> None:
    settings.STUDIO_DAILY_PICTURES, settings.STUDIO_DAILY_PICTURES_ALL = 1, 0
    passed, refused = list[int](), list[allowance.LimitReached]()

    def reserve(number: int) -> None:
        try:
            with transaction.atomic():
                allowance.reserve(owner_id=manager.pk, now=timezone.now())
            passed.append(number)
        except allowance.LimitReached as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    threads = [Thread(target=reserve, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(passed), len(refused)) == (1, 19)
    assert {refusal.members["scope"] for refusal in refused} == {"you"}
    assert used(allowance.ALL) == 1


def test_an_item_beyond_the_limit_is_not_made(paid: Running, settings: LazySettings, ask: Ask) -> None:
    settings.STUDIO_DAILY_PICTURES_ALL = 1
    ask()
    with pytest.raises(allowance.LimitReached) as raised:
        ask()
    assert raised.value.members["scope"] == "all"
    assert 0 < int(raised.value.headers["Retry-After"]) <= 86400
    assert Item.objects.count() == 1


@pytest.mark.parametrize("words", ["a soup", "[url]"])
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_is_killed_at_any_step_never_pays_twice_and_loses_nothing(
    paid: Running, ask: Ask, step: str, words: str
) -> None:
    item = ask(words)
    env = {
        **shared_environment(),
        "STUDIO_PROVIDER": "openai",
        "STUDIO_MODEL": "some-model-1",
        "STUDIO_BASE_URL": paid.openai,
        "STUDIO_API_KEY": "sk-test-0123456789abcdef",
    }
    command = [sys.executable, "-m", "tests.studio.killed_process", str(item.pk), step]
    killed = subprocess.run(command, cwd=ROOT, env=env, check=False, timeout=60, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert again(item).status == (Status.READY if step == "finish" else Status.GENERATING)

    later = timezone.now() + timedelta(hours=1)
    reconciliation.scan(now=later)
    pipeline.generate(item_id=item.pk)
    pipeline.generate(item_id=item.pk)

    left = again(item)
    if step in ("claim", "ask"):  # the call was noted: nobody knows, and nobody asks again by itself
        assert (left.status, left.error) == (Status.FAILED, UNKNOWN)
        assert [call.status for call in Call.objects.all()] == ["unanswered"]
    else:
        assert (left.status, left.stored_at is not None, Held.objects.count()) == (Status.READY, True, 0)
        assert [call.status for call in Call.objects.all()] == ["answered"]
    assert paid.count() == (0 if step == "claim" else 1)
    assert not any(vars(reconciliation.scan(now=later)).values()), "a second pass changes nothing"


def test_the_answer_that_comes_after_its_lease_still_belongs_to_its_item(paid: Running, ask: Ask) -> None:
    item = pipeline.claim(ask().pk, now=timezone.now() - timedelta(hours=1))
    assert item is not None
    reconciliation.scan()
    assert again(item).error == UNKNOWN

    assert pipeline.ask(item, clock=timezone.now)
    pipeline.complete(item, clock=timezone.now)

    assert again(item).status == Status.READY
    assert [call.status for call in Call.objects.all()] == ["answered"]


def test_a_pending_item_that_is_deleted_costs_nothing(paid: Running, manager: User, ask: Ask) -> None:
    item = ask()
    services.forget(owner_id=manager.pk, item_id=item.pk)
    pipeline.generate(item_id=item.pk)
    assert (used(manager.pk), paid.count(), Call.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("comes", [True, False], ids=["answered", "its worker died"])
def test_the_call_of_an_item_that_was_deleted_meanwhile_is_closed(
    paid: Running, manager: User, ask: Ask, comes: bool
) -> None:
    item = pipeline.claim(ask().pk, now=timezone.now())
    assert item is not None
    services.forget(owner_id=manager.pk, item_id=item.pk)
    if comes:
        assert not pipeline.ask(item, clock=timezone.now)
    reconciliation.scan()
    assert [call.status for call in Call.objects.all()] == ["answered" if comes else "open"]
    reconciliation.scan(now=timezone.now() + timedelta(hours=1))
    assert [call.status for call in Call.objects.all()] == ["answered" if comes else "unanswered"]
    assert (used(manager.pk), Held.objects.count()) == (1, 0)


def test_a_late_answer_changes_nothing_of_a_picture_that_a_second_call_brought(
    paid: Running, manager: User, ask: Ask
) -> None:
    late = pipeline.claim(ask("[first]").pk, now=timezone.now() - timedelta(hours=1))
    assert late is not None
    reconciliation.scan()
    services.retry(owner_id=manager.pk, item_id=late.pk, now=timezone.now())
    pipeline.generate(item_id=late.pk)
    stored = again(late)
    assert stored.status == Status.READY

    assert not pipeline.hold(late, Answer(data=picture("PNG"), request_id="late"), now=timezone.now())

    assert vars_of(again(late)) == vars_of(stored)
    assert Held.objects.count() == 0
    assert {call.status for call in Call.objects.all()} == {"answered"}
    assert Call.objects.get(request_id="late").pk == late.lease  # each answer closes its own call


def vars_of(item: Item) -> dict[str, object]:
    return {field.attname: getattr(item, field.attname) for field in Item._meta.concrete_fields}


def test_a_picture_that_was_paid_for_stays_counted_when_a_fault_of_ours_keeps_it_from_being_ready(
    paid: Running, manager: User, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(data: bytes) -> None:
        raise RuntimeError("a fault of ours")

    item = ask()
    with monkeypatch.context() as patch:
        patch.setattr(storing, "look", broken)
        while again(item).status == Status.PENDING:
            pipeline.generate(item_id=item.pk)
            Item.objects.filter(pk=item.pk).update(queued_until=None)
    assert (again(item).error, used(manager.pk), paid.count()) == ("processing_failed", 1, 1)

    services.retry(owner_id=manager.pk, item_id=item.pk, now=timezone.now())
    pipeline.generate(item_id=item.pk)
    assert (again(item).status, used(manager.pk), paid.count()) == ("ready", 1, 1)


def test_an_answer_that_kills_each_worker_ends_and_can_be_tried_again(paid: Running, manager: User, ask: Ask) -> None:
    item = ask()
    for attempt in range(5):
        taken = pipeline.claim(item.pk, now=timezone.now() - timedelta(hours=1))
        assert taken is not None
        assert attempt or pipeline.ask(taken, clock=timezone.now)
        reconciliation.scan()
    assert (again(item).status, again(item).error) == (Status.FAILED, "processing_failed")

    services.retry(owner_id=manager.pk, item_id=item.pk, now=timezone.now())
    pipeline.generate(item_id=item.pk)
    assert (again(item).status, paid.count(), used(manager.pk)) == (Status.READY, 1, 1)
