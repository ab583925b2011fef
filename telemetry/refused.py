"""Every refusal is one line: method, path, status, code, who, from where."""

import logging

from .lines import masked

logger = logging.getLogger("redcoral.refused")


def tell(*, method: str, path: str, status: int, code: str, who: str, address: str, reason: str = "") -> None:
    """A request was refused. ``who`` is empty for nobody that is known; ``reason`` is what happened, in English."""
    about = {"method": method, "path": masked(path), "status": status, "code": code, "who": who, "from": address}
    about |= {"reason": masked(reason)} if reason else {}
    level = logging.WARNING if status >= 500 else logging.INFO
    said = f"{method} {path} {status} {code or '-'} who={who or '-'} from={address or '-'}"
    if reason:
        said += f": {reason}"
    logger.log(level, "%s", said.replace("\n", " "), extra={"about": about})
