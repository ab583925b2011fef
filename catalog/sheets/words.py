"""Words as people write them, in the three languages of the house: folded, compared, guessed."""

import difflib
import unicodedata
from collections.abc import Callable, Iterable

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

YES = {
    "1",
    "yes",
    "y",
    "true",
    "t",
    "on",
    "si",
    "s",
    "verdadero",
    "v",
    "cierto",
    "是",
    "是的",
    "真",
    "对",
    "有",
    "√",
    "✓",
    "✔",
}
NO = {"0", "no", "n", "false", "f", "off", "falso", "否", "不", "不是", "假", "错", "无", "没有", "✗", "✘"}
WEEKDAYS = {
    1: "1 monday mon mo lunes lun lu l 星期一 周一 礼拜一 一",
    2: "2 tuesday tues tue tu martes mar ma 星期二 周二 礼拜二 二",
    3: "3 wednesday wed we miercoles mie mi x 星期三 周三 礼拜三 三",
    4: "4 thursday thurs thur thu th jueves jue ju j 星期四 周四 礼拜四 四",
    5: "5 friday fri fr viernes vie vi v 星期五 周五 礼拜五 五",
    6: "6 saturday sat sa sabado sab sa s 星期六 周六 礼拜六 六",
    7: "7 sunday sun su domingo dom do d 星期日 星期天 周日 周天 礼拜天 礼拜日 日 天",
}
WEEKDAY_OF = {word: day for day, words in WEEKDAYS.items() for word in words.split()}


def fold(text: str) -> str:
    """``text`` without what people don't mean to say: case, accents, widths, blanks and punctuation."""
    if text.isascii():
        return "".join(filter(str.isalnum, text)).casefold()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(filter(str.isalnum, apart))).casefold()


def truth(text: str) -> bool | None:
    """What a word says; None when it says neither yes nor no."""
    word = fold(text) or text.strip()
    return True if word in YES else False if word in NO else None


def in_all_languages(say: Callable[[], Promise | str]) -> set[str]:
    """What ``say`` says, in each language."""
    said = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said.add(str(say()))
    return said


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """`` Did you mean “…”?`` with the nearest of ``known``; empty when none is near."""
    nearest = nearest_of(text, known)
    return " " + _("Did you mean “%(word)s”?") % {"word": nearest} if nearest else ""


def nearest_of(text: str, known: Iterable[str]) -> str | None:
    by_fold = {fold(word): word for word in known if word}
    folded = fold(text)
    begun = [word for known, word in by_fold.items() if len(folded) > 2 and known.startswith(folded)]
    found = difflib.get_close_matches(folded, by_fold, 1, 0.7)
    return by_fold[found[0]] if found else begun[0] if begun else None
