"""Drinks of the demo menu."""
# mypy: ignore-errors

import math

import kit as k
import numpy as np
import props as p
from kit import blend, noise, smooth, stuff


def latte_art(x, y, seed=1):
    """Mask (1 = milk) of a rosetta in a cup of radius 1."""
    q = np.stack([x, y, 0 * x], 1)
    x = x + 0.03 * noise(q, 3.0, 2, seed)
    y = y + 0.03 * noise(q, 3.0, 2, seed + 1)
    ax = np.abs(x)
    envelope = 0.66 * np.clip(1 - ((y + 0.08) / 0.72) ** 2, 0, 1) ** 0.6 * (1 - 0.25 * y)
    bands = np.sin((y * 1.0 - 0.55 * ax**0.8 + 0.5 * ax * ax) * 27.0)
    leafs = smooth(-0.5, 0.1, bands) * smooth(0.0, 0.06, envelope - ax)
    stem = 1 - smooth(0.015, 0.05, ax)
    stem = stem * smooth(-0.85, -0.75, y) * (1 - smooth(0.55, 0.7, y))
    heart = np.hypot(x * 0.95, (y - 0.55 + 0.5 * ax)) < 0.2
    return np.maximum(np.maximum(leafs, stem), heart * 1.0)


def beans(spots, seed=2):
    """Roasted coffee beans on the table."""
    mat = stuff([(0.3, "#24120a"), (0.7, "#4a2815")], 0.35, grain=2, coat=0.2, bump=0.01, bump_grain=9)

    def fn(u, v):
        t = np.clip(v, 1e-3, 1 - 1e-3) * math.pi
        x, y, z = np.sin(t) * np.cos(u * k.TAU), -np.cos(t), np.sin(t) * np.sin(u * k.TAU)
        groove = 0.22 * np.exp(-(((x + 0.12 * np.sin(y * 3)) / 0.13) ** 2)) * (z > 0)
        return 0.42 * x, 0.6 * y, np.where(z > 0, 0.22, 0.3) * z - groove * 0.6

    one = k.surf(fn, 64, 40, mat, wrap_u=True)
    rng = np.random.default_rng(seed)
    for x, y in spots:
        flip = rng.random() < 0.35
        k.copy(
            one,
            (x, y, 0.24),
            (180 if flip else rng.uniform(-12, 12), rng.uniform(-12, 12), rng.uniform(0, 360)),
        )
    k.hide(one)


def coffee(radius, level, colour, gloss=0.3):
    """The painted surface of a coffee, its rim climbing the wall."""

    def height(x, y):
        r = np.hypot(x, y)
        return level + 0.1 * smooth(radius * 0.93, radius, r) + 0.02 * noise(np.stack([x, y, 0 * x], 1), 1.2, 2, 4)

    return k.disk(
        radius,
        height,
        stuff("paint", gloss, sss=0.15, depth=0.2, bump=0.008, bump_grain=9, coat=0.25),
        200,
        320,
        colour,
    )


def espresso():
    """Espresso with crema, saucer, spoon and beans on dark wood."""
    k.table(k.wood("#2a1a10", "#57371f", "#83583a", turn=90))
    k.backdrop("#17120f", "#3a2a20")
    white = p.ceramic("#f3f0ea")
    p.plate(7.0, white, 1.2, 0.55)
    objs = p.cup(3.5, 5.6, white, handle=0.95)
    k.group(objs, (0, 0, 0.5), (0, 0, -28))

    def crema(v, u, w):
        q = v.copy()
        q[:, 2] = 0
        warp = np.stack([noise(q, 0.5, 2, 5), noise(q, 0.5, 2, 6), 0 * u], 1)
        swirl = noise(q + warp * 0.9, 0.75, 4, 3)
        tone = blend("#8a4a1c", "#c98a48", smooth(-0.5, 0.6, swirl))
        tone = blend(tone, "#e0ae6d", smooth(0.45, 0.9, noise(q, 2.2, 3, 9)) * 0.7)
        r = np.hypot(v[:, 0], v[:, 1]) / 3.1
        return blend(tone, "#5a2c10", smooth(0.86, 1.0, r) * 0.8)

    k.put(coffee(3.12, 0, crema), (0, 0, 5.05))
    k.put(p.spoon(11.5), (-5.6, -3.6, 1.0), (0, 0, -38))
    rng = np.random.default_rng(5)
    spots = [(rng.normal(11, 2.6), rng.normal(-1.5, 3.2)) for _ in range(26)]
    spots += [(-9.5, -7.5), (-11.2, -5.4), (8.2, -8.0), (-12.5, 4), (-14, 9)]
    beans([s for s in spots if math.hypot(*s) > 7.6])
    k.studio(15, -1, 2.0)
    k.camera((0.9, 0, 2.6), 48, 38, 8, 85, 3.2, focus=(0, -2.5, 5))


def red_wine():
    """A glass of red wine, bottle and grapes before dark bokeh."""
    k.table(k.wood("#2c1a10", "#5b3820", "#805434", turn=90, rough=0.3))
    k.backdrop("#120d0c", "#3d2419", bokeh=22, power=10)
    clear = k.glass()
    k.lathe(
        [
            (0, 0),
            (3.6, 0),
            (3.7, 0.08),
            (3.5, 0.2),
            (1.2, 0.45),
            (0.45, 1.0),
            (0.36, 2.5),
            (0.36, 7.0),
            (0.6, 8.0),
            (2.4, 9.2),
            (3.9, 11.3),
            (4.3, 13.2),
            (3.9, 16.2),
            (3.2, 19.5),
            (3.17, 19.6),
            (3.12, 19.5),
            (3.82, 16.2),
            (4.2, 13.2),
            (3.8, 11.4),
            (2.3, 9.35),
            (0.7, 8.5),
            (0, 8.4),
        ],
        clear,
        passes=4,
    )
    k.lathe(
        [
            (0, 8.38),
            (0.72, 8.48),
            (2.32, 9.32),
            (3.82, 11.35),
            (4.2, 12.7),
            (4.22, 13.2),
            (4.22, 13.2),
            (4.1, 13.1),
            (0, 13.1),
        ],
        k.glass(ior=1.34, absorb="#b8102a", density=0.3),
        passes=4,
    )
    bottle = k.lathe(
        [(0, 0), (3.6, 0), (3.8, 0.3), (3.8, 17), (3.6, 19), (1.7, 21.5), (1.45, 23), (1.45, 30), (0, 30)],
        stuff("#0b1410", 0.08, coat=0.8),
    )
    label = k.lathe([(3.83, 6), (3.83, 6), (3.83, 14), (3.83, 14)], stuff([(0.4, "#d9cdb2"), (0.6, "#cabb9b")], 0.7))
    foil = k.lathe([(1.52, 24.5), (1.52, 24.5), (1.52, 30.1), (0, 30.1)], stuff("#5a0f18", 0.3, metal=0.6))
    k.group([bottle, label, foil], (-9.5, 10, 0))
    grape = k.ball(
        1,
        stuff([(0.3, "#2a0a1e"), (0.7, "#5a1a38")], 0.3, grain=0.8, sss=0.25, depth=0.4, coat=0.3),
        (1, 1, 1.12),
        0.02,
        0.8,
    )
    rng = np.random.default_rng(8)
    for i in range(34):
        layer = 0 if i < 17 else 1 if i < 28 else 2
        a, r = rng.uniform(0, k.TAU), math.sqrt(rng.random()) * (5.2 - 1.5 * layer)
        k.copy(
            grape,
            (9 + r * math.cos(a) * 1.2, 2.5 + r * math.sin(a) * 0.7, 1 + layer * 1.45),
            tuple(rng.uniform(0, 360, 3)),
            rng.uniform(0.88, 1.1),
        )
    k.hide(grape)
    k.tube([(9, 2, 4), (9.3, 2.3, 5.3), (10.1, 2.5, 6.4), (10.6, 2.4, 7.4)], 0.2, stuff("#6b5a30", 0.7))
    k.studio(15, -1, 1.8, ambient=0.25, low=True)
    k.camera((0.3, 0, 10.6), 84, 8, 0, 85, 3.0, focus=(0, -3, 12))


def cappuccino():
    """Cappuccino with a rosetta on marble."""
    k.table(k.stone("#d9d5cf", "#efece7", 0.3, 0.06, vein="#8c8784"))
    k.backdrop("#a9b0ad", "#d5d8d4")
    glaze = p.ceramic("#2f6f73")
    p.plate(8.2, glaze, 1.3, 0.5)
    k.group(p.cup(5.0, 6.4, glaze, 0.55, 0.8), (0, 0, 0.5), (0, 0, -32))

    def art(v, u, w):
        x, y = v[:, 0] / 4.62, v[:, 1] / 4.62
        q = v * (1, 1, 0)
        brown = blend("#8a4616", "#b5702f", smooth(-0.5, 0.6, noise(q, 0.5, 4, 3)))
        brown = blend(brown, "#6b320f", smooth(0.75, 1.0, np.hypot(x, y)) * 0.6)
        milk = blend("#f6e9d6", "#fdf7ec", smooth(-0.4, 0.4, noise(q, 2.5, 2, 4)))
        return blend(brown, milk, latte_art(x, y) * 0.97)

    k.put(coffee(4.62, 0, art, 0.35), (0, 0, 6.3), (0, 0, 18))
    k.put(p.spoon(13), (7.6, -8.2, 1.1), (0, 0, -8))
    sugar = stuff([(0.3, "#a0672f"), (0.7, "#c68d4c")], 0.6, grain=6, bump=0.05, bump_grain=9, sss=0.3, depth=0.2)
    for x, y, a in ((-12, -1, 20), (-11.4, 2.4, 65), (-13.8, 1.2, 40)):
        k.put(k.box((1.7, 1.7, 1.7), sugar, 0.15, 3, 0.05, 2.5), (x, y, 0.87), (0, 0, a))
    beans([(10.5, 3), (12, 4.4), (9.6, 5.2), (-10, -7), (11.3, 6.4)], 4)
    k.studio(11, -1, 1.8, sky="#c8d0da", ambient=0.4)
    k.camera((0.5, -0.2, 3.6), 54, 50, 6, 85, 4.0, focus=(0, -1.5, 6.3))


def bubbles(count, radius, low, high, seed=3, size=(0.025, 0.07)):
    """Gas bubbles inside a drink."""
    one = k.ball(1, k.glass(ior=0.75), seg=12)
    rng = np.random.default_rng(seed)
    for _ in range(count):
        r, a = radius * math.sqrt(rng.random()), rng.uniform(0, k.TAU)
        k.copy(one, (r * math.cos(a), r * math.sin(a), rng.uniform(low, high)), scale=rng.uniform(*size))
    k.hide(one)


def draft_beer():
    """A cold glass of lager with a head of foam, bar lamps behind."""
    k.table(k.wood("#2a180e", "#5a3820", "#835736", turn=90, rough=0.28))
    k.backdrop("#2a1609", "#c08038", bokeh=26, power=12, seed=9, scale=0.03, shine=0.55)
    shell = p.tumbler(4.1, 17.5, 0.26, 1.4, 0.78)
    p.filling(4.1, 14.2, k.glass(ior=1.34, absorb="#fbcf1c", density=0.3), 0.26, 1.4, 0.78, 17.5)
    foam = stuff([(0.3, "#f6ead2"), (0.7, "#fffaf0")], 0.6, grain=1.2, sss=0.5, depth=0.4, bump=0.035, bump_grain=5)
    head = k.lathe(
        [
            (0, 14.05),
            (3.68, 14.05),
            (3.7, 14.2),
            (3.85, 17.5),
            (3.9, 17.9),
            (3.6, 18.7),
            (2.4, 19.3),
            (0, 19.45),
        ],
        foam,
        passes=4,
    )
    k.displace(head, lambda q: 0.09 * noise(q, 0.6, 3, 4) * smooth(17.3, 18.2, q[:, 2]))
    bubbles(260, 3.0, 2, 14, size=(0.03, 0.075))
    p.dew(shell, 420, zmin=1.5, zmax=14.5)
    cork = stuff([(0.35, "#a87848"), (0.65, "#cda070")], 0.9, grain=5, bump=0.03, bump_grain=7)
    k.lathe([(0, -0.3), (5.4, -0.3), (5.5, -0.25), (5.5, 0.02), (5.4, 0.05), (0, 0.05)], cork)
    nut = stuff([(0.3, "#c98f4e"), (0.7, "#e6bd80")], 0.5, grain=2, bump=0.02, sss=0.2, coat=0.2)
    k.put(p.bowl(4.4, 3.2, p.ceramic("#3b3a3a"), 2.2), (11, 2.5, 0))
    rng = np.random.default_rng(6)
    seed = k.ball(0.55, nut, (1, 1.45, 1), 0.05, 1.5, 2, 24)
    for _ in range(70):
        r, a = 3.6 * math.sqrt(rng.random()), rng.uniform(0, k.TAU)
        spot = (11 + r * math.cos(a), 2.5 + r * math.sin(a), 3.5 - 0.07 * r * r + rng.uniform(-0.5, 0.1))
        k.copy(seed, spot, tuple(rng.uniform(0, 360, 3)))
    for x, y in ((7.6, -4.4), (9.4, -5.6), (-8, -3)):
        k.copy(seed, (x, y, 0.5), (8, 4, rng.uniform(0, 360)))
    k.hide(seed)
    k.studio(16, -1, 3.0, ambient=0.25, low=True, exposure=0.2)
    k.camera((2.0, 0, 9.6), 73, 9, 0, 85, 3.0, focus=(0, -3.6, 10))


def fruit(kind, loc, rot=(0, 0, 0), radius=3.2):
    """A whole lemon or orange."""
    if kind == "lemon":
        skin = stuff([(0.3, "#efbe12"), (0.7, "#f8d83a")], 0.35, grain=0.6, bump=0.05, bump_grain=4, sss=0.2, coat=0.2)
        one = k.ball(radius, skin, (0.86, 0.86, 1.12), 0.08, 0.4, 3, 96)
        q = k.points(one)
        tip = smooth(0.86, 1.1, np.abs(q[:, 2]) / radius)
        q[:, 2] += np.sign(q[:, 2]) * tip * 0.16 * radius
        one.data.vertices.foreach_set("co", q.ravel())
        one.data.update()
    else:
        skin = stuff([(0.3, "#e8760c"), (0.7, "#f59a1e")], 0.35, grain=0.5, bump=0.05, bump_grain=4, sss=0.2, coat=0.2)
        one = k.ball(radius, skin, (1, 1, 0.95), 0.06, 0.4, 4, 96)
    return k.put(one, loc, rot)


def lemonade():
    """Lemonade with ice, lemon slices, mint and straw in bright light."""
    k.table(k.wood("#9a8a74", "#c4b49a", "#dccdb4", turn=90))
    k.backdrop("#6f8f52", "#dfe9c4", scale=0.03)
    p.tumbler(4.1, 14.5, 0.22, 1.0, 0.86)
    p.filling(4.1, 12.6, k.glass(ior=1.334, absorb="#fbe24a", density=0.26), 0.22, 1.0, 0.86, 14.5)
    for loc, rot in (
        ((-0.7, -2.55, 4.6), (82, 8, -14)),
        ((1.0, -2.5, 9.0), (96, 20, 18)),
        ((0.3, 2.3, 6.8), (85, 0, 5)),
    ):
        k.put(p.citrus(2.35, 0.5, lift=0.35), loc, rot)
    p.ice_cubes(
        [
            (-1.4, 0.3, 10.9),
            (1.4, 1.0, 11.6),
            (-0.4, 0.5, 7.6),
            (1.3, 0.2, 5.2),
            (-1.2, 1.4, 3.2),
            (0.1, -1.5, 12.4),
            (-1.2, 1.8, 12.7),
        ],
        2.2,
    )
    p.straw((-0.6, 0.4, 2.0), (3.6, 1.6, 20.5), "#3f9c6a")
    p.sprig((-1.3, -0.6, 13.7), 6, 3.0, 15, "mint", 35)
    k.put(p.citrus(3.1, 0.6), (-4.6, -1.5, 13.4), (88, -12, 24))
    fruit("lemon", (10.2, 4, 3.1), (90, 0, 30), 3.5)
    fruit("lemon", (-11, 7.5, 3.1), (90, 0, -50), 3.5)
    k.put(p.citrus(3.0, 2.2), (8.6, -4.4, 2.4), (64, 0, -24))
    p.sprig((-8.5, -4.5, 0.1), 5, 3.2, 50, "mint", 12)
    k.studio(13, -1, 2.4, sky="#dfe9f2", ambient=0.6, low=True, exposure=0.25)
    k.camera((0.2, 0, 9.6), 76, 12, 0, 85, 3.4, focus=(0, -3, 9))


def cola():
    """Cola on ice with a slice of lemon."""
    k.table(k.stone("#3a3b3e", "#58595d", 0.35))
    k.backdrop("#4a413a", "#a39788", scale=0.03, shine=0.4, bokeh=12, lamp="#ffd9a0", power=7, seed=5)
    shell = p.tumbler(3.9, 15.0, 0.22, 1.0, 0.84)
    p.filling(3.9, 12.9, k.glass(ior=1.34, absorb="#b8601a", density=0.6), 0.22, 1.0, 0.84, 15.0)
    p.ice_cubes(
        [
            (-1.3, -0.7, 12.6),
            (1.3, -0.4, 12.9),
            (0, 1.4, 13.0),
            (-0.6, -1.7, 10.3),
            (1.5, -1.3, 9.6),
            (-1.7, -0.9, 7.4),
            (1.0, -1.6, 6.6),
            (0.2, 0.4, 13.9),
        ],
        2.2,
        seed=5,
    )
    bubbles(120, 3.3, 2, 12.8, 5)
    p.dew(shell, 420, zmin=1.2, zmax=14.5)
    p.straw((-0.4, 0.4, 2.0), (3.9, 1.4, 21.0), "#c9302c")
    k.put(p.citrus(2.9, 0.5), (-3.7, -1.0, 14.6), (86, -10, 30))
    p.ice_cubes([(8.2, -2.2, 1.05), (10.8, 0.2, 1.05)], 2.1, seed=9)
    fruit("lemon", (-10.5, 5.5, 2.9), (90, 0, -40), 3.3)
    k.studio(17, -1, 2.6, ambient=0.35, low=True, exposure=0.3)
    k.camera((0.4, 0, 9.8), 74, 10, 0, 85, 3.2, focus=(0, -3.4, 10))


def orange_juice():
    """Fresh orange juice with oranges."""
    k.table(k.linen("#e3ded2", "#d6cfc0"))
    k.backdrop("#a8c4cf", "#e3edf0", scale=0.03)
    p.tumbler(3.9, 13.5, 0.2, 0.9, 0.9)
    juice = stuff([(0.3, "#fb9c0a"), (0.7, "#ffb21e")], 0.12, grain=0.8, sss=0.5, depth=0.6, spec=0.6, lift=0.22)
    p.filling(3.9, 12.2, juice, 0.2, 0.9, 0.9, 13.5)
    look = {"flesh": "#f39a1d", "rind": "#ef7d0a"}
    k.put(p.citrus(3.3, 0.55, **look), (3.5, -0.8, 13.6), (84, 14, -28))
    fruit("orange", (-9.6, 3.5, 3.7), (20, 10, 0), 3.9)
    fruit("orange", (-4.6, 10.5, 3.7), (40, 10, 0), 3.9)
    k.put(p.citrus(3.7, 3.2, **look), (8.6, -2.2, 3.1), (62, 0, -26))
    k.put(p.citrus(3.6, 0.6, **look), (-7.2, -5.0, 0.35), (0, 4, 20))
    k.put(p.citrus(3.6, 0.6, **look), (-4.9, -6.6, 0.75), (6, -6, 50))
    p.sprig((10.5, 3.8, 0.2), 4, 4.4, 30, "basil", 8)
    k.studio(12, -1, 2.2, sky="#dfe9f2", ambient=0.5, low=True, exposure=0.25)
    k.camera((0.0, 0, 7.6), 70, 14, 0, 85, 3.4, focus=(0, -3.6, 9))


DRINKS = {
    "espresso": espresso,
    "cappuccino": cappuccino,
    "red-wine": red_wine,
    "draft-beer": draft_beer,
    "lemonade": lemonade,
    "cola": cola,
    "orange-juice": orange_juice,
}
