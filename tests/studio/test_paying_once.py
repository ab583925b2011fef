"""Nobody pays twice without having asked for it, and nobody spends more than the limit: what reached the provider is
counted by the provider."""

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
from studio.providers.base import Answer, Busy, NotAnswered, Refused
from tests.studio.provider import Running, picture

from .conftest import Ask

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = "outcome_unknown"
HOUR = timedelta(hours=1)


def used(owner_id: int) -> int:
    row = Allowance.objects.filter(owner_id=owner_id).first()
    return row.used if row else 0


def again(item: Item) -> Item:
    return Item.objects.get(pk=item.pk)


def given_up(item: Item) -> Item:
    """As the worker has it whose answer doesn't come in time; the item failed, since nobody knows."""
    claimed = pipeline.claim(item.pk, now=timezone.now())
    assert claimed is not None
    reconciliation.scan(now=timezone.now() + HOUR)
    assert again(item).error == UNKNOWN
    return claimed


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


def test_what_is_odd_in_an_answer_doesnt_lose_its_picture(paid: Running, ask: Ask) -> None:
    item = ask("[odd]")
    pipeline.generate(item_id=item.pk)
    assert (again(item).status, again(item).error, paid.count()) == (Status.READY, "", 1)
    usage = Call.objects.get().usage
    assert (usage["cost"], usage["key"]) == (None, "…")


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


def test_a_provider_that_is_busy_for_a_day_is_asked_again_in_a_quarter_of_an_hour(paid: Running, ask: Ask) -> None:
    item, now = ask(), timezone.now()
    claimed = pipeline.claim(item.pk, now=now)
    assert claimed is not None
    pipeline.not_answered(claimed, Busy("Tomorrow.", retry_after=86_400), now=now)
    assert again(item).queued_until == now + timedelta(minutes=15)


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


def test_the_answer_that_comes_after_its_lease_still_belongs_to_its_item(paid: Running, ask: Ask) -> None:
    item = given_up(ask())

    assert pipeline.ask(item, clock=timezone.now)
    pipeline.complete(item, clock=timezone.now)

    assert again(item).status == Status.READY
    assert [call.status for call in Call.objects.all()] == ["answered"]


def test_the_late_answer_of_a_worker_that_dies_then_is_gone_on_with(paid: Running, manager: User, ask: Ask) -> None:
    item = given_up(ask())
    assert pipeline.ask(item, clock=timezone.now)
    assert reconciliation.scan().late == 0, "its worker may be about to"

    later = timezone.now() + HOUR
    counts = reconciliation.scan(now=later)
    assert (counts.late, counts.queued) == (1, 1)
    pipeline.generate(item_id=item.pk)

    assert (again(item).status, paid.count(), used(manager.pk)) == (Status.READY, 1, 1)
    assert [call.status for call in Call.objects.all()] == ["answered"]
    assert not any(vars(reconciliation.scan(now=later)).values())


@pytest.mark.parametrize(
    ("outcome", "second"), [(None, "unanswered"), (Refused("no"), "refused"), (Busy("later"), "refused")]
)
def test_a_late_answer_is_enough_when_a_second_call_brings_none(
    paid: Running, manager: User, ask: Ask, outcome: NotAnswered | None, second: str
) -> None:
    late = given_up(ask())
    services.retry(owner_id=manager.pk, item_id=late.pk, now=timezone.now())
    other = pipeline.claim(late.pk, now=timezone.now())
    assert other is not None
    assert pipeline.hold(late, Answer(data=picture()), now=timezone.now())
    if outcome is not None:  # else the second worker died
        pipeline.not_answered(other, outcome, now=timezone.now())

    later = timezone.now() + HOUR
    reconciliation.scan(now=later)
    pipeline.generate(item_id=late.pk)

    assert again(late).status == Status.READY
    assert Call.objects.get(pk=str(late.lease)).status == "answered"
    assert Call.objects.get(pk=str(other.lease)).status == second
    assert paid.count() == 0, "nobody was asked a third time"


def test_a_worker_that_slept_through_its_lease_asks_no_more(paid: Running, manager: User, ask: Ask) -> None:
    late = pipeline.claim(ask().pk, now=timezone.now() - HOUR)
    assert late is not None
    reconciliation.scan()
    services.retry(owner_id=manager.pk, item_id=late.pk, now=timezone.now())
    pipeline.generate(item_id=late.pk)
    assert (again(late).status, paid.count()) == (Status.READY, 1)

    assert not pipeline.ask(late, clock=timezone.now)

    assert (again(late).status, paid.count()) == (Status.READY, 1)
    assert Call.objects.get(pk=str(late.lease)).status == "refused"


def test_an_answer_is_held_though_the_database_was_away_when_it_came(
    paid: Running, ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pipeline, "HOLD_PAUSE", 0.01)
    item = pipeline.claim(ask().pk, now=timezone.now())
    assert item is not None
    other = connection.copy()
    with connection.cursor() as ours, other.cursor() as theirs:
        if connection.vendor == "postgresql":
            ours.execute("SELECT pg_backend_pid()")
            theirs.execute("SELECT pg_terminate_backend(%s)", ours.fetchone())
        else:
            ours.execute("PRAGMA busy_timeout = 10")
            theirs.execute("BEGIN IMMEDIATE")
    tries = 0

    def clock() -> datetime:
        nonlocal tries
        tries += 1
        if tries == 2:
            other.close()
        return timezone.now()

    assert pipeline.held_at_last(item, Answer(data=picture()), clock=clock)

    said = [record.getMessage() for record in caplog.records if record.name == "studio.pipeline"]
    assert said == [f"answer not held, trying again item={item.pk}"], "the fault came once"
    assert bytes(Held.objects.get(pk=item.pk).data) == picture()
    assert Call.objects.get().status == "answered"


def test_of_two_answers_the_picture_and_its_original_are_the_same_one(paid: Running, manager: User, ask: Ask) -> None:
    late = given_up(ask())
    services.retry(owner_id=manager.pk, item_id=late.pk, now=timezone.now())
    second = pipeline.claim(late.pk, now=timezone.now())
    assert second is not None
    assert pipeline.hold(second, Answer(data=picture("PNG")), now=timezone.now())
    looked = storing.look(picture("PNG"))
    key = storing.store(second, picture("PNG"), looked)
    storing.store(late, picture(), storing.look(picture()))  # whose key is in the row now

    storing.finish(second, looked, key=key, now=timezone.now())

    stored = again(late)
    assert (stored.key, stored.content_type, stored.size) == (key, "image/png", len(picture("PNG")))


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
    late = given_up(ask("[first]"))
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
        taken = pipeline.claim(item.pk, now=timezone.now())
        assert taken is not None
        assert attempt or pipeline.ask(taken, clock=timezone.now)
        reconciliation.scan(now=timezone.now() + HOUR)
    assert (again(item).status, again(item).error) == (Status.FAILED, "processing_failed")

    services.retry(owner_id=manager.pk, item_id=item.pk, now=timezone.now())
    pipeline.generate(item_id=item.pk)
    assert (again(item).status, paid.count(), used(manager.pk)) == (Status.READY, 1, 1)


def test_what_kills_each_worker_that_draws_it_ends(ask: Ask) -> None:
    item = ask()
    for _attempt in range(5):
        assert pipeline.claim(item.pk, now=timezone.now()) is not None
        reconciliation.scan(now=timezone.now() + HOUR)
    assert (again(item).status, again(item).error) == (Status.FAILED, "processing_failed")


def test_what_may_have_been_paid_for_stays_counted_when_the_next_try_is_free_and_cancelled(
    paid: Running, settings: LazySettings, manager: User, ask: Ask
) -> None:
    item = given_up(ask())
    settings.STUDIO_PROVIDER = "label"
    services.retry(owner_id=manager.pk, item_id=item.pk, now=timezone.now())
    services.forget(owner_id=manager.pk, item_id=item.pk)
    assert (used(manager.pk), used(allowance.ALL)) == (1, 1)
