"""The built-in provider: draws a label for what has no photo, tidies up the photos that there are. Free, offline."""

import time

from normalform import ImageRefused
from studio.providers.base import Answer, Asked, NotSent, Unusable
from studio.providers.builtin.tidy import tidied
from studio.providers.builtin.tile import tile


class Label:
    name = "label"
    free = True
    improves = True

    def ask(self, asked: Asked, deadline: float) -> Answer:
        if time.monotonic() >= deadline:
            raise NotSent("There was no time left to draw.")
        try:
            if asked.source is None:
                return Answer(data=tile(asked.subject))
            return Answer(data=tidied(asked.source, square=asked.subject.square))
        except MemoryError as error:
            raise NotSent("There is no memory for this picture just now.") from error
        except (ImageRefused, OSError, SyntaxError, ValueError) as error:
            raise Unusable("The photo can't be decoded.") from error
