"""What normalising photos costs, and what serving pictures costs, each beside its peers in one run.

``python -m benchmarks.images [normalizing|serving]`` prints medians, ratios, and whether each ratio holds its target.
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

from images.jpeg import LONGEST_EDGE
from images.normalize import fit, normalize

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


def worker(photos: Sequence[bytes], times: int, together: Any) -> None:
    """Normalises all photos so many times, from the moment when everybody is ready."""
    ours(photos[0])
    together.wait()
    for _ in range(times):
        for data in photos:
            ours(data)
    together.wait()


def rate_of(processes: int, photos: Sequence[bytes], times: int) -> float:
    """Photos a second of so many processes, each of which does them all."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(processes + 1)
    workers = [context.Process(target=worker, args=(photos, times, together)) for _ in range(processes)]
    for process in workers:
        process.start()
    together.wait(60)
    began = time.perf_counter()
    together.wait(120)
    spent = time.perf_counter() - began
    for process in workers:
        process.join()
    return processes * times * len(photos) / spent


def verdict(name: str, found: float, target: float, *, at_most: bool = False) -> str:
    holds = found <= target if at_most else found >= target
    return f"| {name} | {found:.3g} | {'≤' if at_most else '≥'} {target:g} | {'holds' if holds else 'MISSED'} |"


def measure_normalizing(rounds: int) -> list[str]:
    photos = [photo(*arguments) for arguments in tqdm(PHOTOS, desc="photos", leave=False)]
    ways = {"plain": plain, "libvips": vips, "ours": ours}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for name, work in ways.items():
        work(photos[0])
    for _ in tqdm(range(rounds), desc="normalising", leave=False):
        for name, work in ways.items():
            spent[name].append(seconds_for(work, photos) / len(photos))
    alike = {name: min(similarity(ways[name](data), plain(data)) for data in photos) for name in ways}
    sizes = {name: sum(len(work(data)) for data in photos) / len(photos) for name, work in ways.items()}
    rates = {1: [], 2: []}  # type: dict[int, list[float]]
    for _ in tqdm(range(3), desc="two processes", leave=False):
        for processes, found in rates.items():
            found.append(rate_of(processes, photos, max(2, rounds)))
    middle = {name: statistics.median(found) for name, found in spent.items()}
    print("\n| a 12-megapixel photo | ms | kB | least SSIM against plain |\n|---|---|---|---|")
    for name in ways:
        print(f"| {name} | {middle[name] * 1000:.0f} | {sizes[name] / 1000:.0f} | {alike[name]:.4f} |")
    one, two = statistics.median(rates[1]), statistics.median(rates[2])
    print(f"\nOne process: {one:.1f} photos/s; two: {two:.1f} photos/s.")
    return [
        verdict("plain / ours, time", middle["plain"] / middle["ours"], 2.5),
        verdict("ours / libvips, time", middle["ours"] / middle["libvips"], 1.3, at_most=True),
        verdict("least SSIM of ours against plain", alike["ours"], 0.98),
        verdict("two processes / one, photos/s", two / one, 1.8),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=("normalizing", "serving"))
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    lines: list[str] = []
    if arguments.part != "serving":
        lines += measure_normalizing(arguments.rounds)
    print("\n| ratio | measured | target | |\n|---|---|---|---|\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
