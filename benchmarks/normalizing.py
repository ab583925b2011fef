"""What normalising photos of 12 megapixels costs, beside the plain way and libvips in one run.

``python -m benchmarks.normalizing`` prints medians, ratios, and whether each ratio holds its target.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pyvips
from PIL import ExifTags, Image, ImageOps
from skimage import data as samples
from skimage.metrics import structural_similarity
from tqdm import tqdm

from images.normalize import normalize
from normalform import LONGEST_EDGE
from normalform.samples import fit

QUALITY = 85
# Real photographs, enlarged, with the noise of a sensor: what phones send. Orientation as EXIF counts it.
PHOTOS = [("coffee", (4000, 3000), 1), ("astronaut", (4032, 3024), 6), ("rocket", (3000, 4000), 1)]
NOISE = 4.0  # standard deviation, of 255


def photo(name: str, size: tuple[int, int], orientation: int) -> bytes:
    """A 12-megapixel JPEG as a camera writes it."""
    enlarged = Image.fromarray(getattr(samples, name)()).convert("RGB").resize(size, Image.Resampling.BICUBIC)
    noise = np.random.default_rng(1).normal(0, NOISE, (size[1], size[0], 3))
    noisy = (np.asarray(enlarged) + noise).clip(0, 255).astype(np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=90, exif=exif)
    return file.getvalue()


def ours(data: bytes) -> bytes:
    return normalize(data, quality=QUALITY).data


def plain(data: bytes) -> bytes:
    """What one writes first."""
    picture = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    file = BytesIO()
    picture.resize(fit(picture.size, LONGEST_EDGE), Image.Resampling.LANCZOS).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def vips(data: bytes) -> bytes:
    """libvips, on as many threads as it likes."""
    small = pyvips.Image.thumbnail_buffer(data, LONGEST_EDGE, height=LONGEST_EDGE, size="down")
    made: bytes = small.jpegsave_buffer(Q=QUALITY, keep="none")
    return made


def similarity(one: bytes, other: bytes) -> float:
    """SSIM of two JPEGs of the same size."""
    left, right = (np.asarray(Image.open(BytesIO(data)).convert("RGB")) for data in (one, other))
    return float(structural_similarity(left, right, channel_axis=2))


def seconds_for(work: Callable[[bytes], bytes], photos: Sequence[bytes]) -> float:
    began = time.perf_counter()
    for data in photos:
        work(data)
    return time.perf_counter() - began


def count(_photos: Sequence[bytes]) -> None:
    """Work that shares nothing: how much a second process brings on this machine at best."""
    left = 10_000_000
    while left:
        left -= 1


def normalize_all(photos: Sequence[bytes]) -> None:
    for data in photos:
        ours(data)


def worker(work: Callable[[Sequence[bytes]], None], photos: Sequence[bytes], times: int, together: Any) -> None:
    """Does the work so many times, from the moment when everybody is ready."""
    work(photos)
    together.wait(120)
    for _ in range(times):
        work(photos)
    together.wait(120)


def rate_of(processes: int, work: Callable[[Sequence[bytes]], None], photos: Sequence[bytes], times: int) -> float:
    """How often so many processes together do the work, in a second."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(processes + 1)
    workers = [context.Process(target=worker, args=(work, photos, times, together)) for _ in range(processes)]
    for process in workers:
        process.start()
    together.wait(120)
    began = time.perf_counter()
    together.wait(120)
    spent = time.perf_counter() - began
    for process in workers:
        process.join()
    return processes * times / spent


def gain_of_a_second(photos: Sequence[bytes], rounds: int) -> tuple[float, float]:
    """What two processes do, as a multiple of one: photos, and counting, which is all that the machine can give."""
    gains: dict[Callable[[Sequence[bytes]], None], list[float]] = {normalize_all: [], count: []}
    for _ in tqdm(range(rounds), desc="two processes", leave=False):
        for work, found in gains.items():
            one, two = (rate_of(processes, work, photos, 5) for processes in (1, 2))
            found.append(two / one)
    return statistics.median(gains[normalize_all]), statistics.median(gains[count])


def verdict(name: str, found: float, target: float, *, at_most: bool = False) -> str:
    holds = found <= target if at_most else found >= target
    return f"| {name} | {found:.3g} | {'≤' if at_most else '≥'} {target:g} | {'holds' if holds else 'MISSED'} |"


def measure(rounds: int) -> list[str]:
    photos = [photo(*arguments) for arguments in tqdm(PHOTOS, desc="photos", leave=False)]
    ways = {"plain": plain, "libvips": vips, "ours": ours}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for work in ways.values():
        work(photos[0])
    for _ in tqdm(range(rounds), desc="normalising", leave=False):
        for name, work in ways.items():
            spent[name].append(seconds_for(work, photos) / len(photos))
    alike = {name: min(similarity(ways[name](data), plain(data)) for data in photos) for name in ways}
    sizes = {name: sum(len(work(data)) for data in photos) / len(photos) for name, work in ways.items()}
    middle = {name: statistics.median(found) for name, found in spent.items()}
    print("\n| a 12-megapixel photo | ms | kB | least SSIM against plain |\n|---|---|---|---|")
    for name in ways:
        print(f"| {name} | {middle[name] * 1000:.0f} | {sizes[name] / 1000:.0f} | {alike[name]:.4f} |")
    photos_gain, counting_gain = gain_of_a_second(photos, rounds)
    print(f"\nOf a bare loop, two processes here do {counting_gain:.2f} times what one does.")
    return [
        verdict("plain / ours, time", middle["plain"] / middle["ours"], 2.5),
        verdict("ours / libvips, time", middle["ours"] / middle["libvips"], 1.3, at_most=True),
        verdict("least SSIM of ours against plain", alike["ours"], 0.98),
        verdict("two processes / one, photos/s", photos_gain, 1.8),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    lines = measure(parser.parse_args().rounds)
    print("\n| ratio | measured | target | |\n|---|---|---|---|\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
