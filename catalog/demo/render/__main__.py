"""Render the demo restaurant's pictures: python catalog/demo/render [--draft] [--out DIR] slug ... | all."""
# mypy: ignore-errors

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import kit
from drinks import DRINKS
from mains import MAINS
from sweets import SWEETS

SCENES = {**DRINKS, **MAINS, **SWEETS}


def main():
    """Read the command line and render each picture asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slugs", nargs="+", help="pictures to render, or 'all': " + ", ".join(sorted(SCENES)))
    parser.add_argument("--draft", action="store_true", help="small and quick")
    parser.add_argument("--samples", type=int, default=14)
    photos = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "photos")
    parser.add_argument("--out", default=photos, help="folder for the JPEG files")
    args = parser.parse_args()
    size = (480, 360, 14) if args.draft else (896, 672, args.samples)
    for slug in sorted(SCENES) if args.slugs == ["all"] else args.slugs:
        kit.reset(*size)
        SCENES[slug]()
        kit.shoot(os.path.join(args.out, slug + ".jpg"))


if __name__ == "__main__":
    main()
