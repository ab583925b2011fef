import re
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import check_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import models
from catalog.models import Attribute, AttributeOption, Category, Employee, PriceRule, Product, Role, Tag, Zone

from .pages import add_form, change_form, errors_of


@pytest.fixture
def anna(db: None) -> Employee:
    role = Role.objects.create(name="Waiter")
    return Employee.objects.create(name="Anna", code="W1", role=role)


def test_a_pin_goes_in_and_never_comes_out(admin_client: Client, anna: Employee) -> None:
    assert change_form(admin_client, anna).save(pin="4711").status_code == 302
    anna.refresh_from_db()
    assert anna.has_pin("4711")
    for page in ("", f"{anna.pk}/change/", f"{anna.pk}/history/", "export/"):
        html = admin_client.get(f"/admin/catalog/employee/{page}").content.decode()
        assert anna.pin_hash not in html
        assert "4711" not in html
    assert "A PIN is set" in change_form(admin_client, anna).html


def test_a_pin_stays_when_the_field_is_left_empty(admin_client: Client, anna: Employee) -> None:
    change_form(admin_client, anna).save(pin="4711")
    change_form(admin_client, anna).save(name="Anne")
    anna.refresh_from_db()
    assert (anna.name, anna.has_pin("4711")) == ("Anne", True)


def test_a_pin_can_be_removed(admin_client: Client, anna: Employee) -> None:
    change_form(admin_client, anna).save(pin="4711")
    change_form(admin_client, anna).save(remove_pin="on")
    anna.refresh_from_db()
    assert anna.pin_hash == ""


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "١٢٣٤"])
def test_an_odd_pin_is_refused_and_not_shown_again(admin_client: Client, anna: Employee, pin: str) -> None:
    response = change_form(admin_client, anna).save(pin=pin)
    assert errors_of(response) == {"pin": ["A PIN has 4 to 8 digits."]}
    assert f'value="{pin}"' not in response.content.decode()


def test_a_new_employee_gets_a_pin_at_once(admin_client: Client, anna: Employee) -> None:
    form = add_form(admin_client, Employee)
    assert form.save(name="Ben", code="W2", role=str(anna.role_id), is_active="on", pin="1234").status_code == 302
    assert check_password("1234", Employee.objects.get(code="W2").pin_hash)


def test_weekdays_are_ticked_and_kept_as_numbers(admin_client: Client) -> None:
    rule = PriceRule.objects.create(name="Happy hour", value="-20", weekdays=[5, 1])
    form = change_form(admin_client, rule)
    assert form.values["weekdays"] == ["1", "5"]
    form.save(weekdays=["7", "6", "1"])
    rule.refresh_from_db()
    assert rule.weekdays == [1, 6, 7]
    assert "weekdays" in errors_of(form.save(weekdays=["8"]))
    change_form(admin_client, rule).save("weekdays")
    rule.refresh_from_db()
    assert rule.weekdays == []


def test_the_target_of_another_scope_is_emptied(admin_client: Client, category: Category) -> None:
    """The page hides the targets that the scope doesn't have, but a browser sends what is hidden too."""
    tag = models.Tag.objects.create(name="Kids")
    rule = PriceRule.objects.create(name="Rule", value="-20", scope="category", category=category)
    assert change_form(admin_client, rule).save(scope="tag", tag=str(tag.pk)).status_code == 302
    rule.refresh_from_db()
    assert (rule.scope, rule.category, rule.tag) == ("tag", None, tag)
    assert "zone" in errors_of(change_form(admin_client, rule).save(scope="zone"))


def test_the_unit_goes_when_sale_is_no_longer_by_weight(admin_client: Client, category: Category) -> None:
    fish = Product.objects.create(name="Bass", price=64, category=category, price_type="weight", unit="kg")
    assert change_form(admin_client, fish).save(price_type="fixed").status_code == 302
    fish.refresh_from_db()
    assert (fish.price_type, fish.unit) == ("fixed", "")
    response = change_form(admin_client, fish).save(price_type="weight")
    assert "needs a unit" in str(errors_of(response))


def test_a_colour_can_be_none(admin_client: Client, category: Category) -> None:
    form = change_form(admin_client, category)
    assert form.values["color-none"] == ["1"]
    form.save("color-none", color="#aa3300")
    category.refresh_from_db()
    assert category.color == "#aa3300"
    change_form(admin_client, category).save(**{"color-none": "1"})
    category.refresh_from_db()
    assert category.color == ""
    assert "color" in errors_of(change_form(admin_client, category).save("color-none", color="red"))


def test_permission_codes_are_a_list_of_words(admin_client: Client) -> None:
    role = Role.objects.create(name="Waiter", permission_codes=["order.open", "own.code"])
    form = change_form(admin_client, role)
    assert sorted(form.values["permission_codes"]) == ["order.open", "own.code"]
    form.save(permission_codes=["order.open", "table.sing", "table.sing"])
    role.refresh_from_db()
    assert role.permission_codes == ["order.open", "table.sing"]
    assert "permission_codes" in errors_of(form.save(permission_codes=["x" * 61]))


def test_options_are_edited_inside_their_attribute(admin_client: Client) -> None:
    size = Attribute.objects.create(name="Size")
    small = AttributeOption.objects.create(attribute=size, name="Small")
    before = size.updated_at
    change_form(admin_client, size).save(
        **{
            "options-TOTAL_FORMS": "2",
            "options-0-price_change": "-0.50",
            "options-1-name": "Large",
            "options-1-price_change": "1.50",
            "options-1-position": "1",
        }
    )
    small.refresh_from_db()
    size.refresh_from_db()
    assert small.price_change == Decimal("-0.50")
    assert [option.name for option in size.options.all()] == ["Small", "Large"]
    assert size.updated_at > before


def test_tables_are_edited_inside_their_zone(admin_client: Client) -> None:
    zone = Zone.objects.create(name="Terrace")
    form = change_form(admin_client, zone)
    row = {name.replace("__prefix__", "0"): value for name, value in form.values.items() if "__prefix__" in name}
    form.save(**{**row, "tables-TOTAL_FORMS": "1", "tables-0-name": "T1"})
    assert zone.tables.get().name == "T1"


def test_a_form_that_was_saved_without_a_change_writes_nothing(admin_client: Client, category: Category) -> None:
    product = Product.objects.create(name="Cola", price="3.00", category=category)
    form = change_form(admin_client, product)
    with CaptureQueriesContext(connection) as queries:
        assert form.save().status_code == 302
    assert not [q["sql"] for q in queries if q["sql"].startswith("UPDATE") and "catalog_product" in q["sql"]]


def test_a_page_that_was_opened_before_a_till_sold_out_does_not_undo_it(
    admin_client: Client, category: Category
) -> None:
    product = Product.objects.create(name="Cola", price="3.00", category=category)
    form = change_form(admin_client, product)
    Product.objects.update(is_sold_out=True, price="3.50")
    form.save(description="Cold")
    product.refresh_from_db()
    assert (product.description, product.is_sold_out, product.price) == ("Cold", True, Decimal("3.50"))


def test_the_attributes_of_a_product_are_chosen_on_its_page(admin_client: Client, category: Category) -> None:
    product = Product.objects.create(name="Cola", price="3.00", category=category)
    size, ice = Attribute.objects.create(name="Size"), Attribute.objects.create(name="Ice")
    product.attributes.add(size)
    form = change_form(admin_client, product)
    assert form.values["option_groups"] == [str(size.pk)]
    form.save(option_groups=[str(ice.pk)])
    assert list(product.attributes.all()) == [ice]


def test_history_tells_which_fields_were_changed(admin_client: Client, category: Category) -> None:
    product = Product.objects.create(name="Cola", price="3.00", category=category)
    change_form(admin_client, product).save(price="3.50")
    assert LogEntry.objects.get().get_change_message() == "Changed Price: 3.00 → 3.50."


def test_what_goes_with_a_product_is_told_without_rows_that_have_no_name(
    admin_client: Client, category: Category
) -> None:
    product = Product.objects.create(name="Cake", price="1", category=category)
    product.tags.add(Tag.objects.create(name="sweet"))
    page = admin_client.get(f"/admin/catalog/product/{product.pk}/delete/").content.decode()
    assert "Cake" in page
    assert "relationship" not in page
    assert "object (" not in page


def test_every_cell_that_can_be_edited_has_a_name(admin_client: Client, category: Category) -> None:
    Product.objects.create(name="Cake", price="1", category=category)
    page = admin_client.get("/admin/catalog/product/").content.decode()
    cells = [tag for tag in re.findall(r"<(?:input|select)[^>]+>", page) if re.search(r'id="id_form-\d+-', tag)]
    seen = [tag for tag in cells if 'type="hidden"' not in tag]
    assert len(seen) >= 3
    assert [tag for tag in seen if "aria-label" not in tag] == []


def test_a_name_that_exists_is_a_form_error(admin_client: Client, category: Category) -> None:
    other = Category.objects.create(name="Food")
    response = change_form(admin_client, other).save(name="drinks")
    assert "already" in str(errors_of(response))


def test_a_product_page_costs_no_more_queries_for_more_tags(admin_client: Client, category: Category) -> None:
    product = Product.objects.create(name="Cola", price="3.00", category=category)
    address = f"/admin/catalog/product/{product.pk}/change/"
    product.tags.add(models.Tag.objects.create(name="Tag"))
    admin_client.get(address)
    with CaptureQueriesContext(connection) as few:
        admin_client.get(address)
    product.tags.add(*(models.Tag.objects.create(name=f"Tag {number}") for number in range(10)))
    with CaptureQueriesContext(connection) as many:
        admin_client.get(address)
    assert len(many) == len(few)


@pytest.fixture
def tea(db: None) -> Product:
    return Product.objects.create(name="Tea", price="2.00", position=7, category=Category.objects.create(name="Drinks"))


def test_several_that_are_in_use_are_offered_to_be_deactivated_instead(admin_client: Client, tea: Product) -> None:
    free = Category.objects.create(name="Free")
    chosen = {"_selected_action": [str(tea.category_id), str(free.pk)]}
    page = admin_client.post("/admin/catalog/category/", {"action": "delete_selected", **chosen}).content.decode()
    assert "Deactivate instead" in page
    assert f'<a href="/admin/catalog/product/{tea.pk}/change/">' in page

    admin_client.post("/admin/catalog/category/", {"action": "deactivate", "index": "0", **chosen})
    assert not Category.objects.filter(is_active=True).exists()


def test_a_category_in_use_is_offered_to_be_deactivated_instead(admin_client: Client, tea: Product) -> None:
    page = admin_client.get(f"/admin/catalog/category/{tea.category_id}/delete/").content.decode()
    assert "Deactivate instead" in page
    assert f"/admin/catalog/product/{tea.pk}/change/" in page

    asked = {"action": "deactivate", "index": "0", "_selected_action": str(tea.category_id)}
    assert admin_client.post("/admin/catalog/category/", asked).status_code == 302
    assert not Category.objects.get().is_active


def test_the_next_product_begins_with_the_same_category_and_tax_behind_the_others(
    admin_client: Client, tea: Product
) -> None:
    form = add_form(admin_client, Product)
    answer = form.save(name="Mint", price="2.00", tax_rate="21.00", category=str(tea.category_id), _addanother="1")
    assert answer.status_code == 302
    assert Product.objects.get(name="Mint").position == 8
    initial = admin_client.get(answer["Location"]).context["adminform"].form.initial
    assert (initial["category"], initial["tax_rate"], initial["position"]) == (str(tea.category_id), "21.00", 9)


def test_a_history_says_old_and_new_the_newest_first(admin_client: Client, tea: Product) -> None:
    for name in ("Green tea", "Black tea"):
        change_form(admin_client, tea).save(name=name)
        tea.refresh_from_db()
    page = admin_client.get(f"/admin/catalog/product/{tea.pk}/history/").content.decode()
    assert 0 < page.index("Name: Green tea → Black tea") < page.index("Name: Tea → Green tea")
