"""Those who may log in here. Nobody gives a login or a group what they don't have, nor takes over one that has it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from adminpages import Page
from devices import trail
from devices.events import Event
from devices.rights import governs, lacking, name_of

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(TOTPDevice)  # its page shows the secrets of all; `manage.py totp` gives and takes them


RIGHTS = {"groups", "user_permissions", "permissions", "is_active", "is_staff", "is_superuser"}  # fields that give


class GivingForm(forms.ModelForm):
    """A form in which ``giver`` gives permissions. What was given before may stay."""

    giver: Any = None

    def given(self, name: str) -> tuple[Any, set[Any]]:
        """What was chosen in the field, and what of it is new."""
        chosen = self.cleaned_data[name]
        before = set(getattr(self.instance, name).all()) if self.instance.pk else set()
        return chosen, set(chosen) - before

    def refuse_to_give(self, permissions: Iterable[Any]) -> None:
        missing = lacking(self.giver, {name_of(row) for row in permissions})
        if missing:
            said = _("You can't give what you don't have: %(permissions)s.")
            raise ValidationError(said % {"permissions": ", ".join(sorted(missing))}, code="not_yours")


class UserForm(GivingForm, UserChangeForm):
    def clean_user_permissions(self) -> Any:
        chosen, new = self.given("user_permissions")
        self.refuse_to_give(new)
        return chosen

    def clean_groups(self) -> Any:
        chosen, new = self.given("groups")
        self.refuse_to_give(row for group in new for row in group.permissions.all())
        return chosen


class GroupForm(GivingForm):
    def clean_permissions(self) -> Any:
        chosen, new = self.given("permissions")
        self.refuse_to_give(new)
        return chosen


class GivingAdmin(Page):
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.giver = request.user
        return form

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change:
            self.tell(Event.ACCOUNT_ADDED, form.instance)
        if changed := sorted(RIGHTS & set(form.changed_data)):
            self.tell(Event.PERMISSIONS_CHANGED, form.instance, fields=changed)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.tell(Event.ACCOUNT_DELETED, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for one in queryset:
            self.tell(Event.ACCOUNT_DELETED, one)
        super().delete_queryset(request, queryset)

    def tell(self, event: Event, obj: Any, **more: Any) -> None:
        trail.tell(event, kind=self.opts.model_name, name=str(obj), **more)


@admin.register(User)
class UserAdmin(GivingAdmin, DjangoUserAdmin, Page):
    form = UserForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_filter = (("is_staff", BooleanRadioFilter), ("is_active", BooleanRadioFilter))
    list_filter_submit = True
    compressed_fields = False
    filter_horizontal = ()
    autocomplete_fields = ("groups",)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return readonly if request.user.is_superuser else (*readonly, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or governs(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or governs(request.user, obj))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Also of the action in the list, which asks for the permission once for all."""
        found, counts, needed, protected = super().get_deleted_objects(objs, request)
        if not all(governs(request.user, user) for user in objs):
            needed.add(capfirst(str(self.opts.verbose_name)))
        return found, counts, needed, protected


@admin.register(Group)
class GroupAdmin(GivingAdmin, DjangoGroupAdmin, Page):
    form = GroupForm
