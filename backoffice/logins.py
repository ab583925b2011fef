"""The form of the login page."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm

from devices.logins import CODE, DemoIsLocal
from devices.totp import TotpNeeded, is_asked_for


class LoginForm(AuthenticationForm):
    """With a field for the code of an app where a login may have one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_asked_for():
            look = {"class": self.fields["username"].widget.attrs["class"]}
            attributes = {**look, "autocomplete": "one-time-code", "inputmode": "numeric"}
            self.fields[CODE] = forms.CharField(
                label=_("Code of your authenticator app, if you have one"),
                required=False,
                widget=forms.TextInput(attributes),
            )

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except (DemoIsLocal, TotpNeeded) as refusal:
            raise ValidationError(str(refusal), code=refusal.code) from None
