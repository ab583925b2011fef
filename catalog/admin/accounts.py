"""Those who may log in here."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from adminpages import Page

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, Page):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_filter = (("is_staff", BooleanRadioFilter), ("is_active", BooleanRadioFilter))
    list_filter_submit = True
    compressed_fields = False
    filter_horizontal = ()
    autocomplete_fields = ("groups",)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, Page):
    pass
