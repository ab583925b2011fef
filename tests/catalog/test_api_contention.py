"""Two writers at the same moment: both get an answer that is true, nobody a failure."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from catalog import models
from catalog.transactions import Contended, run_in_transaction
from catalog.writing import _Writes
from devices.services import enroll

from .conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def token():
    return enroll(name="back office", may_manage=True).token


def in_threads(*jobs):
    """What each of ``jobs`` returns when they begin at the same moment."""
    start = Barrier(len(jobs))

    def run(job):
        try:
            start.wait(10)
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(60) for future in [pool.submit(run, job) for job in jobs]]


def test_one_name_is_given_once(token):
    answers = in_threads(*[lambda: Api(token).post("/api/tags", {"name": "hot"})] * 4)
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]
    assert {e["code"] for a in answers if a.status_code == 400 for e in a.json()["errors"]} == {"unique"}


def test_one_id_is_made_once(token):
    here = f"/api/tags/{uuid4()}"
    answers = in_threads(*[lambda: Api(token).put(here, {"name": "hot"})] * 4)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("name", ["hot", "mild"])
def test_a_put_that_finds_its_object_made_meanwhile_replaces_it(token, monkeypatch, name):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    here, look, looks = f"/api/tags/{uuid4()}", _Writes._lock, []

    def look_and_be_overtaken(self, asked):
        look(self, asked)
        looks.append(dict(self.stored))
        if len(looks) == 1:
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(_Writes, "_lock", look)
                (other,) = in_threads(lambda: Api(token).put(here, {"name": "hot"}))
            assert other.status_code == 201

    monkeypatch.setattr(_Writes, "_lock", look_and_be_overtaken)
    answer = Api(token).put(here, {"name": name})
    assert looks[0] == {}
    assert (answer.status_code, answer.json()["name"]) == (200, name)


def test_of_writers_with_the_same_etag_one_wins(token):
    made = Api(token).post("/api/tags", {"name": "hot"})
    answers = in_threads(
        *[
            lambda name=name: Api(token).patch(made["Location"], {"name": name}, headers={"If-Match": made["ETag"]})
            for name in "abcd"
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    (winner,) = [answer for answer in answers if answer.status_code == 200]
    assert Api(token).get(made["Location"]).content == winner.content


def test_a_product_and_the_end_of_its_category_never_both_succeed(token):
    for _ in range(5):
        category = models.Category.objects.create(name=f"Drinks {uuid4()}")
        body = {"name": "Tea", "price": "2", "category": str(category.pk)}
        product, gone = in_threads(
            lambda body=body: Api(token).post("/api/products", body),
            lambda category=category: Api(token).delete(f"/api/categories/{category.pk}"),
        )
        assert (product.status_code, gone.status_code) in {(201, 409), (400, 204), (409, 204)}, product.content
        assert (product.status_code == 201) == models.Product.objects.filter(category_id=category.pk).exists()


def test_a_deadlock_is_tried_once_more(token):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    first, second = (models.Tag.objects.create(name=name) for name in ("a", "b"))
    held = [Event(), Event()]
    tries = []

    def both(mine, its, index):
        def verb():
            tries.append(index)
            models.Tag.objects.filter(pk=mine.pk).update(color="#000000")
            held[index].set()
            held[1 - index].wait(10)
            models.Tag.objects.filter(pk=its.pk).update(color="#ffffff")
            return True

        return lambda: run_in_transaction(verb)

    assert in_threads(both(first, second, 0), both(second, first, 1)) == [True, True]
    assert len(tries) == 3, "nobody was the victim of a deadlock"


def test_batches_that_name_the_same_objects_in_another_order_all_succeed(token):
    tags = [str(models.Tag.objects.create(name=str(number)).pk) for number in range(20)]

    def send(order, color):
        operations = [{"op": "update", "id": id, "data": {"color": color}} for id in order]
        return lambda: Api(token).post("/api/tags/batch", {"operations": operations})

    for number in range(3):
        colors = [f"#00000{number}", f"#ffffff{number}"[:7], f"#11111{number}"]
        answers = in_threads(
            *[send(order, color) for order, color in zip((tags, tags[::-1], tags[5:]), colors, strict=True)]
        )
        assert [answer.status_code for answer in answers] == [200] * 3
        assert set(models.Tag.objects.filter(pk__in=tags[5:]).values_list("color", flat=True)) <= set(colors)
        assert models.Tag.objects.filter(pk__in=tags[5:]).values("color").distinct().count() == 1


def test_of_batches_that_make_the_same_one_does_and_each_is_told_what_is_taken(token):
    names = [f"name {number}" for number in range(10)]
    operations = [{"op": "create", "data": {"name": name}} for name in names]

    def send(order):
        return lambda: Api(token).post("/api/tags/batch", {"mode": "each", "operations": order})

    answers = in_threads(send(operations), send(operations[::-1]))
    assert [answer.status_code for answer in answers] == [200] * 2, [answer.content for answer in answers]
    said = [result for answer in answers for result in answer.json()["results"]]
    assert sorted(result["status"] for result in said) == [201] * 10 + [400] * 10
    assert {e["code"] for one in said if one["status"] == 400 for e in one["problem"]["errors"]} == {"unique"}
    assert sorted(models.Tag.objects.values_list("name", flat=True)) == names


def test_a_writer_that_is_in_the_way_twice_is_a_conflict():
    tries = []

    def verb():
        tries.append(1)
        models.Tag.objects.bulk_create([models.Tag(name="hot"), models.Tag(name="HOT")])

    with pytest.raises(Contended):
        run_in_transaction(verb)
    assert len(tries) == 2
    assert not models.Tag.objects.exists()


def test_other_failures_of_the_database_are_not_tried_again():
    tries = []

    def verb():
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM nowhere")

    with pytest.raises((OperationalError, Exception), match="nowhere") as failure:
        run_in_transaction(verb)
    assert not isinstance(failure.value, IntegrityError | Contended)
    assert len(tries) == 1


def test_a_write_from_outside_refuses_to_run_inside_a_transaction():
    with transaction.atomic(), pytest.raises(RuntimeError):
        run_in_transaction(lambda: None)
