"""The rows of a benchmark's table, printed as they come."""

from dataclasses import dataclass, field


@dataclass
class Table:
    """``missed`` counts the targets that weren't met."""

    missed: int = 0
    rows: list[str] = field(default_factory=list)

    def row(
        self,
        case: str,
        ours: float,
        most: float | None = None,
        *,
        unit: str = " ms",
        beside: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """``most``: what it may cost; ``at_most``: how many times what it costs by hand (``beside``)."""
        ratio = ours / beside if beside else None
        is_met = (most is None or ours <= most) and (at_most is None or ratio is None or ratio <= at_most)
        self.missed += not is_met
        targets = [f"≤ {most:g}{unit}"] if most is not None else []
        targets += [f"≤ {at_most:g} ×"] if at_most is not None else []
        other = f"{beside:.0f}{unit}" if beside is not None else ""
        times = f"{ratio:.2f} ×" if ratio is not None else ""
        text = f"| {case} | {ours:.1f}{unit} | {other} | {times} | {', '.join(targets)}{'' if is_met else ', missed'} |"
        self.rows.append(text)
        print(text, flush=True)
