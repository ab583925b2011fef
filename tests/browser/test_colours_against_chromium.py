"""A stored picture looks as Chromium shows the file that it was made of."""

from base64 import b64decode, b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from normalform import normalize
from tests.images.small import IN_BROWSERS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MOST = 6  # of 255, the mean difference
# Chromium doesn't turn WebP, and takes an animation's first frame where we take the still picture beside it.
SHOWN_OTHERWISE = {"webp turned", "avif animated"}
COLOURS = """async (url) => {
  const image = new Image();
  await new Promise((done, failed) => { image.onload = done; image.onerror = failed; image.src = url; });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return [canvas.height, canvas.width, btoa(text)];
}"""


@pytest.fixture(scope="module")
def empty_page(chromium: "Browser") -> Any:
    page = chromium.new_page()
    yield page
    page.close()


def by_chromium(page: "Page", data: bytes, type: str) -> Any:
    height, width, values = page.evaluate(COLOURS, f"data:image/{type};base64,{b64encode(data).decode()}")
    return np.frombuffer(b64decode(values), np.uint8).reshape(height, width, 4)[..., :3].astype(np.int16)


@pytest.mark.any_database
@pytest.mark.parametrize("name", [name for name in IN_BROWSERS if name not in SHOWN_OTHERWISE])
def test_colours_are_those_that_chromium_shows(empty_page: "Page", name: str) -> None:
    data = IN_BROWSERS[name]()

    ours = np.asarray(Image.open(BytesIO(normalize(data, quality=95).data)).convert("RGB"), np.int16)

    shown = by_chromium(empty_page, data, name.partition(" ")[0])
    assert ours.shape == shown.shape
    assert float(np.abs(ours - shown).mean()) <= MOST
