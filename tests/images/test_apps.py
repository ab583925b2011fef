"""What the server says where a part of it isn't installed."""

import importlib
import importlib.util

import pytest

import images.apps


def test_without_the_package_of_the_normal_form_the_server_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(ImportError, match="make setup"):
            importlib.reload(images.apps)
    importlib.reload(images.apps)
