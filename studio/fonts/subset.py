"""Makes the two fonts of this folder out of Debian's packages; README.md says how to run it.

Needs fontTools, which nothing else here does: it isn't among the requirements.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parent
DEBIAN = Path("/usr/share/fonts")
# Noto Sans: Latin with all its extensions, Greek, Cyrillic, punctuation, currencies. Precomposed letters only: what has
# marks is drawn composed, because Pillow's own layout places no mark.
EUROPEAN = (
    (0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x52F), (0x1E00, 0x1EFF), (0x1F00, 0x1FFF),
    (0x2010, 0x2027), (0x2030, 0x205E), (0x2070, 0x209C), (0x20A0, 0x20C0), (0x2113, 0x2122), (0x215B, 0x215E),
    (0x2190, 0x2193), (0x2212, 0x2212),
)  # fmt: skip
PUNCTUATION = ((0x3000, 0x30FF), (0xFF01, 0xFF9F), (0xFFE0, 0xFFE6))  # of East Asia, with kana
SIMPLIFIED = 2  # which font of the collection: its forms where a character has several


def of_ranges(ranges: tuple[tuple[int, int], ...]) -> set[int]:
    return {code for first, last in ranges for code in range(first, last + 1)}


def of_charset(name: str, rows: range, cells: range) -> set[int]:
    """The characters at ``rows`` and ``cells`` of a charset of two bytes each."""
    found = set()
    for row in rows:
        for cell in cells:
            text = bytes((row, cell)).decode(name, errors="ignore")
            if len(text) == 1:
                found.add(ord(text))
    return found


def east_asian() -> set[int]:
    gb_2312 = of_charset("gb2312", range(0xA1, 0xF8), range(0xA1, 0xFF))
    big5 = of_charset("big5", range(0xA1, 0xFA), range(0x40, 0xFF))
    jis_level_1 = of_charset("euc_jp", range(0xB0, 0xD0), range(0xA1, 0xFF))
    hangul = of_charset("euc_kr", range(0xB0, 0xC9), range(0xA1, 0xFF))
    return gb_2312 | big5 | jis_level_1 | hangul | of_ranges(PUNCTUATION)


def write(source: Path, target: str, codes: set[int], *, number: int = -1) -> None:
    font = TTFont(source, fontNumber=number, recalcTimestamp=False)
    options = subset.Options()
    options.hinting = False
    options.layout_features = ["kern"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # with copyright and licence
    options.notdef_outline = True
    options.drop_tables += ["vhea", "vmtx", "VORG"]
    options.recalc_timestamp = False
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font.save(HERE / target)
    sys.stdout.write(f"{target}: {len(font.getBestCmap())} characters, {(HERE / target).stat().st_size} bytes\n")


if __name__ == "__main__":
    write(DEBIAN / "truetype/noto/NotoSans-Bold.ttf", "NotoSans-Bold.ttf", of_ranges(EUROPEAN))
    write(DEBIAN / "opentype/noto/NotoSansCJK-Bold.ttc", "NotoSansCJKsc-Bold.otf", east_asian(), number=SIMPLIFIED)
