"""Desserts and bakery."""
# mypy: ignore-errors

import itertools
import math

import kit as k
import numpy as np
import props as p
from kit import blend, noise, smooth, stuff


def donut_at(loc, rot, icing, crumbs, seed=0):
    """One iced ring donut with a pale waist; `crumbs` is a list of sprinkle materials."""
    big, small = 3.1, 1.75

    def ring(u, v, grow=0.0):
        a, b = u * k.TAU, v * k.TAU
        r = small + grow
        return (big + r * np.cos(b)) * np.cos(a), (big + r * np.cos(b)) * np.sin(a), 0.86 * r * np.sin(b)

    def dough(q, u, v):
        s = np.sin(v * k.TAU)
        waist = np.exp(-(((s + 0.12) / 0.17) ** 2))
        tone = blend("#a8602a", "#c98442", smooth(-0.5, 0.5, noise(q, 0.9, 4, seed)))
        return blend(tone, "#ecc88d", waist * 0.85)

    base = k.surf(ring, 160, 72, stuff("paint", 0.55, sss=0.2, depth=0.3, bump=0.02, bump_grain=5), True, True, dough)
    k.displace(base, lambda q: 0.1 * noise(q, 0.35, 2, seed))

    def top(u, v):
        a = u * k.TAU
        q = np.stack([np.cos(a) * 1.3, np.sin(a) * 1.3, 0 * a], 1)
        reach = 0.02 + 0.05 * noise(q, 1.3, 3, seed + 3)
        lo, hi = -0.03 - reach * 1.6, 0.53 + reach
        w = lo + (hi - lo) * v
        grow = 0.02 + 0.2 * np.clip(1 - np.abs(2 * v - 1) ** 5, 0, 1) ** 0.6
        return ring(u, w, grow)

    glaze = k.surf(top, 200, 60, icing, wrap_u=True)
    k.displace(glaze, lambda q: 0.05 * noise(q, 0.5, 2, seed + 5) + 0.1 * noise(q, 0.35, 2, seed))
    parts = [base, glaze]
    if crumbs:
        rng = np.random.default_rng(seed)
        sticks = []
        for mat in crumbs:
            stick = k.lathe([(0, -0.36), (0.1, -0.36), (0.1, -0.2), (0.1, 0.2), (0.1, 0.36), (0, 0.36)], mat, 12)
            sticks.append(stick)
        for _ in range(150):
            a, r = rng.uniform(0, k.TAU), big + rng.normal(0, 0.75)
            if not 1.9 < r < 4.5:
                continue
            hit = k.drop(r * math.cos(a), r * math.sin(a), on=glaze)
            if hit:
                parts.append(
                    k.lay_copy(
                        sticks[rng.integers(len(sticks))],
                        hit,
                        spin=rng.uniform(0, 360),
                        tilt=90 + rng.uniform(-9, 9),
                        lift=0.06,
                        scale=rng.uniform(0.75, 1),
                    )
                )
        for stick in sticks:
            stick.hide_render = True
    k.group(parts, loc, rot)


def donut():
    """Three iced donuts on a plate on pale wood."""
    k.table(k.wood("#8d7a63", "#b7a387", "#d6c6ab", turn=90))
    k.backdrop("#b9b2a8", "#d8d2c8")
    p.plate(11.5, p.ceramic("#e9edf0"), 1.5)
    colours = ["#f7f3ea", "#f2c230", "#4fb6d8", "#7bc04a", "#e0484c", "#f08a2c"]
    crumbs = [stuff(c, 0.35, coat=0.3) for c in colours]
    pink = stuff("#f08fae", 0.16, sss=0.35, depth=0.3, coat=0.6)
    choc = stuff("#2f1508", 0.14, coat=0.7, sss=0.05)
    nuts = [stuff("#f1e6cf", 0.5), stuff("#e8c896", 0.5)]
    donut_at((-4.3, 3.2, 2.1), (0, 0, 40), choc, nuts, 7)
    donut_at((5.2, 2.6, 2.1), (0, 0, 190), stuff("#f6f0e4", 0.18, sss=0.3, coat=0.5), crumbs, 5)
    donut_at((0.4, -2.9, 3.9), (24, 0, 80), pink, crumbs, 2)
    k.studio(12, -1, 2.0, sky="#c8d0da", ambient=0.45)
    k.camera((0.3, -0.3, 2.6), 62, 35, -6, 85, 4.0, focus=(0, -4, 4.6))


def syrup_cap(radius, level, reach, thick, mat, seed=0, lobes=7.0, drip=1.6):
    """Sauce poured over a round top of `radius` at `level`, running down its side in tongues."""

    def fn(u, v):
        a = u * k.TAU
        q = np.stack([np.cos(a), np.sin(a), 0 * a], 1)
        length = reach + drip * np.clip(noise(q, lobes / 3, 2, seed) * 1.5 - 0.05, -0.5, 1.6)
        s = v * length
        t = thick * np.clip(1 - (s / length) ** 6, 0, 1) ** 0.5
        bend = 0.55
        over = np.clip((s - radius + bend) / bend, 0, None)
        turn = np.clip(over, 0, math.pi / 2)
        r = np.where(over > 0, radius - bend + bend * np.sin(turn), s)
        z = np.where(over > 0, level - bend * (1 - np.cos(turn)) - bend * np.clip(over - math.pi / 2, 0, None), level)
        nr, nz = np.where(over > 0, np.sin(turn), 0), np.where(over > 0, np.cos(turn), 1)
        r, z = r + nr * t - 0.03 * nr, z + nz * t - 0.03 * nz
        return np.maximum(r, 1e-4) * np.cos(a), np.maximum(r, 1e-4) * np.sin(a), z

    return k.surf(fn, 260, 90, mat, wrap_u=True)


def pancakes():
    """A stack of pancakes with butter, syrup and blueberries."""
    k.table(k.wood("#4d3321", "#7d573a", "#a67b56", turn=90))
    k.backdrop("#5f6a70", "#a5aeb2")
    p.plate(12.5, p.ceramic("#f0eee9", speck=("#8b8378", 5, 0.3)), 1.6)
    rng = np.random.default_rng(3)
    z = 0.6
    for i in range(6):
        r, h = 6.5 + rng.uniform(-0.25, 0.2), 1.15

        def brown(q, u, v, i=i, r=r, h=h):
            rad = np.hypot(q[:, 0], q[:, 1]) / r
            side = np.exp(-(((q[:, 2] - h * 0.5) / 0.24) ** 2)) * smooth(0.86, 0.95, rad)
            tone = blend("#8f4a16", "#c98437", smooth(-0.6, 0.6, noise(q, 0.55, 4, i)))
            tone = blend(tone, "#e2b066", smooth(0.8, 0.95, rad) * 0.5)
            return blend(tone, "#f2d79c", side)

        cake = k.lathe(
            [
                (0, 0),
                (r - 0.6, 0),
                (r, 0.1),
                (r + 0.1, h / 2),
                (r, h - 0.1),
                (r - 0.6, h),
                (r - 2, h + 0.02),
                (r - 4, h),
                (0, h),
            ],
            stuff("paint", 0.6, sss=0.2, depth=0.3, bump=0.02, bump_grain=6),
            160,
            4,
        )
        k.paint(cake, brown(k.points(cake), None, None))
        k.displace(cake, lambda q, i=i: 0.13 * noise(q, 0.3, 3, 20 + i))
        k.put(
            cake,
            (rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3), z),
            (rng.uniform(-1, 1), rng.uniform(-1, 1), i * 60),
        )
        z += h - 0.03
    syrup = stuff("#a2500e", 0.06, coat=1.0, sss=0.5, depth=0.8, through=0.35, ior=1.45)
    syrup_cap(6.4, z + 0.04, 6.4, 0.22, syrup, 5, 6, 3.6)
    butter = stuff([(0.3, "#f4d365"), (0.7, "#f9e08a")], 0.3, grain=1, sss=0.5, depth=0.6, coat=0.2)
    k.put(k.box((2.9, 2.6, 1.0), butter, 0.22, 3, 0.1, 0.6), (0.4, -0.6, z + 0.62), (3, -4, 24))
    blue = p.berry(0.85)
    spots = [
        (-2.6, 1.4, z + 0.9),
        (-1.3, 2.6, z + 0.9),
        (-3.1, -0.5, z + 0.9),
        (-2.0, 1.6, z + 2.0),
        (2.8, 2.2, z + 0.9),
        (-8.7, -2.3, 1.4),
        (-8.2, -4.2, 1.4),
        (8.4, -2.8, 1.4),
        (6.9, -5.6, 1.4),
        (8.9, -1.0, 1.5),
        (-9.6, -0.7, 1.6),
        (7.9, -4.5, 1.4),
    ]
    for spot in spots:
        rot = tuple(rng.uniform(-70, 70, 3))
        for part in blue:
            k.copy(part, spot, rot)
    for part in blue:
        k.hide(part)
    p.sprig((2.0, 2.4, z + 0.5), 4, 2.6, 30, "mint", 35)
    k.put(p.napkin(22, k.linen("#7d8b93")), (-19, 6, 0), (0, 0, 25))
    k.studio(13, -1, 2.4, exposure=0.15)
    k.camera((0, 0, 4.9), 58, 22, -5, 85, 4.0, focus=(0, -5, 6.5))


def wedge(radius, angle, low, high, mat, rough=0.0, seed=0, inset=0.0):
    """A slice of a round layer: tip at the origin, pointing to -y, with walls and lid."""
    half = math.radians(angle / 2)
    arc = [(radius * math.sin(t), radius * math.cos(t)) for t in np.linspace(-half, half, 40)]
    corners = [(0.0, 0.0), *arc, (0.0, 0.0)]
    line = []
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        n = max(2, int(math.hypot(x1 - x0, y1 - y0) / 0.09))
        line += [(x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * i / n) for i in range(n)]
    line = np.array(line)
    centre = np.array([0.0, radius * 0.62])

    def fn(u, v):
        edge = line[np.rint(u * len(line)).astype(int) % len(line)]
        n = 40
        i = np.rint(v * n)
        t = np.clip(i - 1, 0, 26) / 26
        shrink = np.where(i == 0, 0.0, np.where(i > 27, np.clip((40 - i) / 12, 0, 1) * 0.985, 1.0))
        z = low + (high - low) * t
        flat = centre + (edge - centre) * (np.maximum(shrink, 1e-3) * (1 - inset))[:, None]
        return flat[:, 0], flat[:, 1], z

    obj = k.surf(fn, len(line), 41, mat, wrap_u=True)
    if rough:
        k.displace(obj, lambda q: rough * noise(q, 1.6, 4, seed) + rough * 0.5 * noise(q, 5, 2, seed + 1))
    return obj


def raspberry(radius=0.95):
    """A raspberry of small round drupelets; returns its parts."""
    mat = stuff([(0.3, "#b3122e"), (0.7, "#d92c4a")], 0.25, grain=1, sss=0.4, depth=0.3, coat=0.3)
    grain = k.ball(0.3, mat, seg=20)
    parts = []
    for row in range(7):
        z = row / 6
        ring = radius * math.sqrt(max(0.03, 1 - (0.25 + 0.75 * z) ** 2.2)) * 0.95
        count = max(1, int(ring * 6))
        for i in range(count):
            a = k.TAU * (i + row * 0.5) / count
            parts.append(k.copy(grain, (ring * math.cos(a), ring * math.sin(a), z * radius * 1.5)))
    k.hide(grain)
    parts.append(k.put(k.ball(radius * 0.95, mat, (1, 1, 0.95), seg=24), (0, 0, 0.45)))
    return parts


def rosette(radius, height, mat, ribs=7, twist=0.9):
    """A piped swirl of cream."""

    def fn(u, v):
        a = u * k.TAU
        body = radius * (1 - v**1.5) ** 0.75 * (0.82 + 0.18 * np.abs(np.sin(v * 8.5)))
        r = np.maximum(body * (1 + 0.16 * np.cos(ribs * (a + twist * v * 3))), 1e-3)
        return r * np.cos(a), r * np.sin(a), height * v

    return k.surf(fn, 180, 90, mat, wrap_u=True)


def chocolate_cake():
    """A slice of layered chocolate cake with raspberries."""
    k.table(k.stone("#8d8a86", "#b3b0ab", 0.4))
    k.backdrop("#4a4542", "#8b837c")
    p.plate(11.5, p.ceramic("#f3f1ee"), 1.3)
    sponge = stuff([(0.35, "#2a1108"), (0.65, "#4d2412")], 0.9, grain=5, bump=0.12, bump_grain=6)
    cream = stuff([(0.3, "#5f3319"), (0.7, "#71401f")], 0.35, grain=2, sss=0.2, depth=0.2, coat=0.15)
    icing = stuff([(0.3, "#2b1206"), (0.7, "#38190b")], 0.22, grain=0.8, coat=0.5, bump=0.02, bump_grain=1.6)
    z, parts = 0.6, []
    for i in range(4):
        parts.append(wedge(11, 42, z, z + 1.45, sponge, 0.09, i, 0.012))
        z += 1.43
        if i < 3:
            parts.append(wedge(11, 42, z - 0.02, z + 0.42, cream, 0.05, i + 9, 0.0))
            z += 0.38
    parts.append(wedge(11.3, 42.5, z - 0.05, z + 0.55, icing, 0.04, 30, 0.0))
    arc = np.linspace(-21.3, 21.3, 60)

    def back(u, v):
        t = np.radians(np.interp(u, np.linspace(0, 1, 60), arc))
        r = 11.0 + 0.45 * np.sin(np.clip(v, 0, 1) * math.pi) ** 0.3
        return r * np.sin(t), r * np.cos(t), 0.6 + v * (z - 0.1)

    parts.append(k.solid(k.surf(back, 60, 40, icing), 0.4))
    swirl = stuff("#4a2512", 0.3, coat=0.2, sss=0.1)
    parts.append(k.put(rosette(1.55, 2.1, swirl), (0, 8.6, z + 0.45)))
    parts.append(k.group(raspberry(0.95), (-0.2, 8.4, z + 2.0), (14, 10, 0)))
    k.group(parts, (-5.6, -0.6, 0), (0, 0, -62))
    for x, y, a in ((4.4, -4.6, 30), (6.4, -3.2, 110), (-1.2, -6.4, 200)):
        k.group(raspberry(0.95), (x, y, 1.35), (75, 0, a))
    p.sprig((6.4, -5.6, 0.9), 3, 2.6, 60, "mint", 20)
    k.put(p.fork(17), (13.5, -9.5, 0.3), (0, 0, 4))
    k.studio(14, -1, 3.2, exposure=0.3)
    k.camera((0.3, 0, 3.9), 58, 23, 0, 85, 4.2, focus=(0, -3.5, 4))


def scoop(radius, mat, loc, seed):
    """A ball of ice cream with a ragged skirt."""
    one = k.ball(radius, mat, (1, 1, 0.93), 0.16, 0.9, seed, 120)
    q = k.points(one)
    low = np.exp(-(((q[:, 2] / radius + 0.45) / 0.16) ** 2))
    grow = 1 + low * (0.12 + 0.12 * noise(q, 1.6, 3, seed + 5))
    one.data.vertices.foreach_set("co", (q * np.stack([grow, grow, 1 + 0 * grow], 1)).ravel())
    one.data.update()
    return k.put(one, loc, (seed * 13 % 20 - 10, seed * 7 % 20 - 10, seed * 50))


def ice_cream_sundae():
    """Three scoops in a glass with chocolate sauce, cream, cherry and wafers."""
    k.table(k.stone("#dcd7d2", "#efebe6", 0.25, 0.05, vein="#a39c98"))
    k.backdrop("#d9a7a7", "#f0d8d2", scale=0.02)
    k.lathe(
        [
            (0, 0),
            (3.8, 0),
            (3.9, 0.1),
            (3.7, 0.3),
            (1.2, 0.7),
            (0.7, 1.4),
            (0.7, 2.6),
            (1.3, 3.6),
            (4.0, 5.2),
            (5.6, 7.6),
            (6.1, 9.6),
            (6.05, 9.75),
            (5.95, 9.6),
            (5.4, 7.7),
            (3.8, 5.5),
            (1.4, 4.2),
            (0, 4.0),
        ],
        k.glass(),
    )
    flavours = {
        "vanilla": [(0.3, "#f3dfae"), (0.7, "#faeccb")],
        "berry": [(0.3, "#e58a9d"), (0.7, "#f2adb8")],
        "choc": [(0.3, "#5a3018"), (0.7, "#74441f")],
    }
    ice = {n: stuff(c, 0.5, grain=1.5, sss=0.35, depth=0.35, bump=0.12, bump_grain=2.4) for n, c in flavours.items()}
    scoop(3.0, ice["berry"], (-2.6, -0.9, 9.4), 2)
    scoop(3.0, ice["choc"], (2.7, -0.7, 9.3), 5)
    scoop(2.9, ice["vanilla"], (0.0, 2.0, 10.0), 8)
    scoop(2.9, ice["vanilla"], (0.0, -0.2, 12.6), 9)
    scoop(2.8, ice["vanilla"], (0.0, 0, 7.1), 3)
    sauce = stuff("#2a1006", 0.08, coat=1.0, sss=0.05)

    def run(u, v):
        a = u * k.TAU
        q = np.stack([np.cos(a), np.sin(a), 0 * a], 1)
        limit = 0.95 + 0.55 * np.clip(noise(q, 2.1, 2, 4) * 1.4, -0.5, 1.1)
        t = v * limit
        r = 2.92 + 0.24 * np.clip(1 - v**6, 0, 1) ** 0.5
        return r * np.sin(t) * np.cos(a), r * np.sin(t) * np.sin(a), r * 0.95 * np.cos(t)

    k.put(k.surf(run, 220, 70, sauce, wrap_u=True), (0, -0.2, 12.65))
    cream = stuff("#fdf9f1", 0.4, sss=0.45, depth=0.5)
    k.put(rosette(1.7, 2.2, cream, 8), (0, -0.2, 15.3))
    cherry = stuff([(0.3, "#a30a16"), (0.7, "#c8141f")], 0.1, grain=0.8, coat=0.9, sss=0.3, depth=0.4)
    k.put(k.ball(1.05, cherry, (1, 1, 0.93), 0.03, 0.6, 1), (0.05, -0.3, 17.6))
    k.tube(
        [(0.05, -0.3, 18.4), (0.25, -0.2, 19.4), (0.8, 0, 20.4), (1.5, 0.2, 21.0)],
        0.09,
        stuff("#5a6b24", 0.5),
    )
    wafer = stuff([(0.3, "#c68a45"), (0.7, "#e3b46e")], 0.6, grain=3, bump=0.04, bump_grain=5)

    def roll(u, v):
        a = v * k.TAU * 2.5
        r = 0.42 + 0.16 * v + 0.03 * np.sin(u * 60 + a)
        return r * np.cos(a), r * np.sin(a), u * 11.5

    for loc, rot in (((2.3, 1.6, 9.0), (-12, 20, 0)), ((3.2, 1.0, 9.0), (-8, 32, 30))):
        k.put(k.solid(k.surf(roll, 120, 90, wafer), 0.08), loc, rot)
    k.studio(11, -1, 2.2, sky="#dfe3ec", ambient=0.5, low=True, exposure=0.2)
    k.camera((0.5, 0, 10.6), 74, 13, 0, 85, 3.6, focus=(0, -3, 12))


def croissant_body(seed=0):
    """One croissant: a tapering crescent of overlapping baked leaves."""
    steps = 3.6

    def shape(u, v):
        s = 2 * u - 1
        a = s * 1.25
        b = v * k.TAU
        ridge = (np.abs(s) * steps + 0.5 + 0.06 * np.sin(b * 2 + seed)) % 1
        body = 2.75 * np.clip(1 - np.abs(s) ** 1.7, 0, 1) ** 0.62 + 0.03
        r = body * (1 + 0.15 * (1 - ridge) ** 1.3 * smooth(0.0, 0.12, ridge)) * (1 - 0.1 * (1 - smooth(0, 0.12, ridge)))
        x = (5.4 + r * np.cos(b)) * np.sin(a)
        y = (5.4 + r * np.cos(b)) * np.cos(a) - 5.4
        return x, y, np.maximum(r * np.sin(b) * 0.92, -body * 0.72)

    def colour(q, u, v):
        s = 2 * u - 1
        ridge = (np.abs(s) * steps + 0.5 + 0.06 * np.sin(v * k.TAU * 2 + seed)) % 1
        line = noise(np.stack([np.abs(s) * 60, v * 5, 0 * u], 1), 1.0, 2, seed + 2)
        tone = blend("#c47a2a", "#8a430f", smooth(-0.7, 0.7, noise(q, 0.4, 3, seed) + 0.5 * line))
        pale = smooth(0.6, 0.95, ridge) * 0.75 + (1 - smooth(0, 0.05, ridge)) * 0.5
        return blend(tone, "#eec27c", np.clip(pale, 0, 0.85))

    mat = stuff("paint", 0.32, sss=0.15, depth=0.25, coat=0.25, bump=0.03, bump_grain=3)
    one = k.surf(shape, 360, 110, mat, wrap_v=True, colour=colour)
    k.displace(one, lambda q: 0.1 * noise(q * (1, 1, 0.6), 0.8, 4, seed + 1))
    return one


def croissant():
    """Two croissants with jam on a board."""
    k.table(k.linen("#cfd6da", "#bcc5ca"))
    k.backdrop("#8d979c", "#c4ccd0")
    k.put(k.box((36, 23, 1.6), k.wood("#5f3f26", "#8f6540", "#b68a5f", plank=40), 0.5), (0, 1, 0.8))
    k.put(croissant_body(1), (-1.5, -0.6, 3.6), (0, 0, 6))
    k.put(croissant_body(6), (3.4, 6.8, 3.6), (0, 0, -24))
    jam = stuff(
        [(0.3, "#7d0c14"), (0.7, "#a8161c")],
        0.1,
        grain=1,
        coat=0.8,
        sss=0.3,
        depth=0.4,
        bump=0.05,
        bump_grain=2,
    )
    k.group(p.ramekin(2.7, 3.0, p.ceramic("#f3f0ea"), jam), (11.2, -1.8, 1.6))
    flake = k.ball(0.3, stuff([(0.3, "#b87430"), (0.7, "#dca765")], 0.6), (1, 0.7, 0.25), 0.1, 3, 2, 16)
    rng = np.random.default_rng(2)
    for _ in range(40):
        k.copy(
            flake,
            (rng.normal(1, 6), rng.normal(-5, 2.4), 1.66),
            (0, 0, rng.uniform(0, 360)),
            rng.uniform(0.3, 1),
        )
    k.hide(flake)
    k.studio(13, -1, 2.0)
    k.camera((1.6, 1.6, 3.2), 54, 33, -4, 85, 4.2, focus=(0, -2.5, 4.5))


SWEETS = {
    "donut": donut,
    "pancakes": pancakes,
    "chocolate-cake": chocolate_cake,
    "ice-cream-sundae": ice_cream_sundae,
    "croissant": croissant,
}
