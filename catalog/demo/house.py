"""The demo restaurant itself: its rooms and tables, its staff, its printers, and when prices change."""

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True)
class Printer:
    name: str
    kind: str
    address: str
    fallback: str = ""
    copies: int = 1


@dataclass(frozen=True)
class Table:
    """Place and size in centimetres from the upper left corner of the zone."""

    name: str
    seats: int
    x: int
    y: int
    width: int = 80
    height: int = 80
    shape: str = "rectangle"
    rotation: int = 0


@dataclass(frozen=True)
class Zone:
    name: str
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Role:
    name: str
    discount: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Employee:
    name: str
    code: str
    role: str
    pin: str


@dataclass(frozen=True)
class Rule:
    """``target`` is the name of the category, tag, product or zone that ``scope`` says."""

    name: str
    adjustment: str
    value: str
    scope: str = "all"
    target: str = ""
    weekdays: tuple[int, ...] = ()
    start: time | None = None
    end: time | None = None
    priority: int = 0
    stackable: bool = False
    active: bool = True


PRINTERS = (
    Printer("Kitchen", "kitchen", "tcp://192.168.1.50:9100"),
    Printer("Grill", "kitchen", "tcp://192.168.1.51:9100", fallback="Kitchen"),
    Printer("Pizza oven", "kitchen", "tcp://192.168.1.52:9100", fallback="Kitchen"),
    Printer("Bar", "bar", "tcp://192.168.1.60:9100", fallback="Receipt"),
    Printer("Receipt", "receipt", "tcp://192.168.1.70:9100"),
)

ZONES = (
    Zone(
        "Dining room",
        (
            Table("1", 2, 60, 60, shape="round"),
            Table("2", 2, 220, 60, shape="round"),
            Table("3", 4, 380, 60, 120, 80),
            Table("4", 4, 580, 60, 120, 80),
            Table("5", 4, 60, 240, 120, 80),
            Table("6", 4, 260, 240, 120, 80),
            Table("7", 6, 460, 240, 180, 90),
            Table("8", 8, 60, 420, 240, 100),
            Table("9", 4, 400, 420, 90, 90, rotation=45),
        ),
    ),
    Zone(
        "Terrace",
        (
            Table("T1", 2, 60, 60, 70, 70, "round"),
            Table("T2", 2, 200, 60, 70, 70, "round"),
            Table("T3", 4, 340, 60, 90, 90, "round"),
            Table("T4", 4, 500, 60, 90, 90, "round"),
            Table("T5", 6, 60, 220, 180, 80),
            Table("T6", 6, 320, 220, 180, 80),
        ),
    ),
    Zone(
        "Bar",
        (
            Table("B1", 1, 60, 60, 45, 45, "round"),
            Table("B2", 1, 130, 60, 45, 45, "round"),
            Table("B3", 1, 200, 60, 45, 45, "round"),
            Table("B4", 1, 270, 60, 45, 45, "round"),
        ),
    ),
)

ROLES = (
    Role(
        "Manager",
        "100.00",
        (
            *("order.open", "order.discount", "order.void", "order.refund", "order.reprint", "table.move"),
            *("product.sold_out", "drawer.open", "shift.close", "report.view"),
        ),
    ),
    Role(
        "Shift leader",
        "25.00",
        (
            "order.open",
            "order.discount",
            "order.void",
            "order.reprint",
            "table.move",
            "product.sold_out",
            "drawer.open",
        ),
    ),
    Role("Waiter", "10.00", ("order.open", "order.discount", "table.move")),
    Role("Bartender", "10.00", ("order.open", "product.sold_out")),
    Role("Cook", "0.00", ("product.sold_out",)),
)

EMPLOYEES = (
    Employee("Marta Ruiz", "M01", "Manager", "1001"),
    Employee("Ben Fischer", "S01", "Shift leader", "2001"),
    Employee("Lucía Gómez", "W01", "Waiter", "3001"),
    Employee("Tom Baker", "W02", "Waiter", "3002"),
    Employee("Chen Wei", "B01", "Bartender", "4001"),
    Employee("Amina Diallo", "K01", "Cook", "5001"),
)

RULES = (
    Rule("Happy hour", "percentage", "-20.00", "category", "Cocktails", (1, 2, 3, 4), time(17), time(19), 10),
    Rule("Night owl", "percentage", "-15.00", "category", "Beer and Wine", (5, 6), time(23), time(2), 20),
    Rule("Weekend surcharge", "percentage", "5.00", weekdays=(6, 7), stackable=True),
    Rule("Terrace service", "amount", "0.50", "zone", "Terrace", stackable=True),
    Rule("Espresso morning", "set", "1.50", "product", "Espresso", (1, 2, 3, 4, 5), time(7), time(10), 30),
    Rule("Kids' Sunday", "percentage", "-25.00", "tag", "Kids", (7,), priority=15),
    Rule(
        "Staff night",
        "percentage",
        "-50.00",
        weekdays=(1,),
        start=time(22),
        end=time(3),
        priority=5,
        active=False,
    ),
)
