"""Savoury dishes."""
# mypy: ignore-errors

import math

import kit as k
import numpy as np
import props as p
from kit import blend, noise, smooth, stuff


def margherita_pizza():
    """A whole pizza with mozzarella and basil on a round board."""
    k.table(k.stone("#3a3c3f", "#5a5c60", 0.6))
    k.backdrop("#2a2624", "#4a423c")
    p.round_board(17.5, k.wood("#6b4526", "#9a6b3f", "#c0945f", plank=40))
    rng = np.random.default_rng(4)
    pools = []
    while len(pools) < 17:
        r, a = 10.5 * math.sqrt(rng.random()), rng.uniform(0, k.TAU)
        x, y = r * math.cos(a), r * math.sin(a)
        if all(math.hypot(x - c[0], y - c[1]) > 4.0 for c in pools):
            pools.append((x, y, rng.uniform(2.0, 2.9)))

    def cheese(x, y):
        q = np.stack([x, y, 0 * x], 1)
        wx, wy = x + 0.9 * noise(q, 0.4, 2, 1), y + 0.9 * noise(q, 0.4, 2, 2)
        field = np.zeros(len(x))
        for cx, cy, r in pools:
            field = np.maximum(field, 1 - np.hypot(wx - cx, wy - cy) / r)
        return smooth(0.0, 0.45, field)

    def edge(x, y):
        a = np.arctan2(y, x)
        q = np.stack([np.cos(a) * 2, np.sin(a) * 2, 0 * a], 1)
        return np.hypot(x, y) * (1 - 0.025 * noise(q, 1.0, 3, 8))

    def height(x, y):
        r = edge(x, y)
        q = np.stack([x, y, 0 * x], 1)
        puff = 1.25 + 0.55 * noise(q, 0.3, 2, 11) + 0.06 * noise(q, 1.5, 3, 12)
        rim = puff * np.clip(1 - ((r - 14.1) / 1.9) ** 2, 0, 1) ** 0.6
        floor = 0.45 + 0.05 * noise(q, 0.9, 3, 5) + 0.2 * cheese(x, y) * (1 - smooth(12, 13, r))
        return np.maximum(0.02, floor * (1 - smooth(14.0, 15.9, r)) + rim)

    def colour(v, u, w):
        x, y = v[:, 0], v[:, 1]
        r = edge(x, y)
        q = np.stack([x, y, 0 * x], 1)
        sauce = blend("#a8240c", "#cf4418", smooth(-0.6, 0.6, noise(q, 0.8, 3, 21)))
        sauce = blend(sauce, "#e9a04a", smooth(0.0, 0.7, noise(q, 0.3, 3, 22)) * 0.6)
        melted = blend("#f3dca0", "#f9eed2", smooth(-0.4, 0.5, noise(q, 0.8, 3, 23)))
        brown = smooth(0.15, 0.7, noise(q, 0.6, 4, 24))
        melted = blend(melted, "#c27a2c", brown * 0.75)
        tone = blend(sauce, melted, cheese(x, y))
        crust = blend("#e3b877", "#c07f3c", smooth(-0.5, 0.5, noise(q, 0.5, 4, 25) + 0.8 * (v[:, 2] - 1.1)))
        char = smooth(0.25, 0.75, noise(q, 0.5, 4, 26)) * smooth(0.9, 1.5, v[:, 2])
        crust = blend(crust, "#2c150a", char * 0.9)
        ring = smooth(12.5, 13.2, r + 0.5 * noise(q, 0.7, 3, 27))
        return blend(tone, crust, ring)

    pie = k.disk(
        16.3,
        height,
        stuff("paint", 0.38, sss=0.12, depth=0.25, coat=0.15, bump=0.03, bump_grain=4),
        260,
        520,
        colour,
    )
    pie.location.z = 1.6
    for i, (x, y) in enumerate([(-4.5, 4.2), (5.2, 3.2), (0.6, -5.4), (-7.6, -3.6), (1.2, 9.0)]):
        p.sprig((x, y, 2.35), 3 if i % 2 else 2, 3.6, i * 77, tilt=8)
    p.sprig((19.5, -9.5, 0.2), 5, 4.5, 20)
    for i, (x, y) in enumerate([(-20, 9), (-23, 5.5), (-19.5, 4.5)]):
        k.put(p.tomato_half(1.9 - 0.1 * i), (x, y, 1.75), (20 * i, 30, 0))
    k.studio(13, -1, 2.0)
    k.camera((0, -0.4, 1.4), 88, 46, 4, 80, 4.5, focus=(0, -3, 2.5))


def lettuce(length=9.0, width=7.0, ruffle=0.7, curl=0.6, seed=0, dark="#3c7a1c", light="#86b83c", pale="#d6e5a0"):
    """A frilly salad leaf along +y."""

    def fn(u, v):
        s = 2 * v - 1
        w = width / 2 * np.sin(np.clip(u, 0.02, 0.985) ** 0.8 * math.pi * 0.93 + 0.1) ** 0.6
        q = np.stack([s * w, u * length, 0 * u + seed * 7.1], 1)
        border = np.maximum(np.abs(s) ** 2.5, smooth(0.6, 1.0, u))
        z = ruffle * border * (np.sin(u * 19 + s * 5 + seed) + noise(q, 0.8, 2, seed)) + 0.25 * noise(
            q, 0.9, 3, seed + 1
        )
        z += curl * (np.abs(s) ** 1.6) * 1.6 + curl * 2.0 * (u - 0.4) ** 2 * length / 6
        return s * w * (1 - 0.12 * border), (u - 0.5) * length, z

    def colour(q, u, v):
        s = np.abs(2 * v - 1)
        tone = blend(dark, light, smooth(-0.7, 0.7, noise(q, 0.7, 4, seed + 2)))
        rib = (1 - smooth(0.05, 0.2 * (1.15 - u), s)) * (1 - 0.6 * u)
        branch = (1 - smooth(0.0, 0.22, np.abs(np.sin((u * 6 - s * 1.3) * math.pi)))) * 0.35
        return blend(tone, pale, np.clip(np.maximum(rib, branch), 0, 1))

    return k.surf(fn, 110, 60, stuff("paint", 0.35, sss=0.3, depth=0.12, coat=0.15), colour=colour)


def tomato_slice(radius=3.2, thick=0.6, seed=0):
    """A slice of tomato, flat."""
    body = k.lathe(
        [
            (0, 0),
            (radius - 0.1, 0),
            (radius, 0.1),
            (radius, thick - 0.1),
            (radius - 0.1, thick),
            (radius * 0.6, thick),
            (radius * 0.3, thick),
            (0, thick),
        ],
        stuff("paint", 0.15, sss=0.4, depth=0.3, coat=0.5),
        160,
        5,
    )
    q = k.points(body)
    a, r = np.arctan2(q[:, 1], q[:, 0]), np.hypot(q[:, 0], q[:, 1]) / radius
    seeds = smooth(0.2, 0.5, np.abs(np.sin(a * 2.5))) * smooth(0.3, 0.42, r) * (1 - smooth(0.72, 0.82, r))
    tone = blend("#d8402a", "#c22a18", smooth(-0.5, 0.5, noise(q, 1.2, 3, seed)))
    tone = blend(tone, "#e8893f", seeds * 0.8)
    return k.paint(body, blend(tone, "#b01810", smooth(0.94, 0.97, r)))


def fry(length, seed, mat):
    """One potato stick along z, its foot at z = 0."""
    rng = np.random.default_rng(seed)
    side = rng.uniform(0.65, 0.85)
    one = k.box((side, side, length), mat, 0.1, 3, 0.05, 1.3, seed)
    q = k.points(one)
    bend = rng.uniform(-0.012, 0.012)
    q[:, 0] += bend * q[:, 2] ** 2
    q[:, 2] += length / 2
    one.data.vertices.foreach_set("co", q.ravel())
    one.data.update()
    tone = blend("#e2a93c", "#f2cd72", smooth(-0.6, 0.5, noise(q, 0.5, 3, seed)))
    ends = np.maximum(smooth(1.2, 0.0, q[:, 2]), smooth(length - 1.0, length, q[:, 2]))
    edge = smooth(0.52, 0.6, np.hypot(q[:, 0], q[:, 1]) / side * 0.95)
    crisp = np.clip(0.55 * ends + 0.45 * edge + 0.5 * smooth(0.3, 0.8, noise(q, 0.7, 3, seed + 9)), 0, 0.85)
    return k.paint(one, blend(tone, "#b8701f", crisp))


def fry_material():
    """Crisp potato."""
    return stuff("paint", 0.42, sss=0.25, depth=0.3, bump=0.03, bump_grain=4, coat=0.15)


KETCHUP = "#a80f0a"


def french_fries():
    """Fries in a steel cup with ketchup on a board."""
    k.table(k.stone("#2f3134", "#4c4f53", 0.5))
    k.backdrop("#2a2523", "#5a4a3f", bokeh=8, power=6, seed=2)
    k.put(k.box((36, 22, 1.6), k.wood("#5f3f26", "#8f6540", "#b68a5f", plank=40), 0.5), (1, 0, 0.8))
    enamel = stuff("#f2efe8", 0.15, coat=0.6)
    blue = stuff("#27436f", 0.2, coat=0.5)
    base = 1.6
    k.put(
        k.lathe(
            [
                (0, 0),
                (3.5, 0),
                (3.7, 0.2),
                (4.7, 9.2),
                (4.85, 9.4),
                (4.7, 9.5),
                (4.5, 9.2),
                (3.5, 0.5),
                (0, 0.5),
            ],
            enamel,
        ),
        (-2.5, 0, base),
    )
    k.put(k.lathe([(4.68, 9.1), (4.9, 9.25), (4.95, 9.45), (4.75, 9.6), (4.5, 9.4)], blue), (-2.5, 0, base))
    mat = fry_material()
    rng = np.random.default_rng(12)
    for i in range(62):
        r, a = 3.7 * math.sqrt((i + 0.5) / 62), i * 2.4
        x, y = r * math.cos(a), r * math.sin(a)
        tilt = 3.2 * r + rng.normal(0, 3)
        length = rng.uniform(8.5, 12.5) - 0.35 * r
        k.put(
            fry(length, i, mat),
            (-2.5 + x * 0.62, y * 0.62, base + rng.uniform(2.8, 4.4)),
            (-tilt * math.sin(a), tilt * math.cos(a), rng.uniform(0, 30)),
        )
    for x, y, a in ((6.0, -7.0, 60), (1.5, -7.8, 104), (9.8, -5.6, 80), (11.0, 4.2, 20)):
        k.put(fry(8.5, int(x * 10), mat), (x, y, base + 0.42), (0, 90, a + 90))
    sauce = stuff([(0.3, KETCHUP), (0.7, "#c01c10")], 0.15, grain=0.6, coat=0.7, sss=0.2)
    k.group(p.ramekin(3.2, 3.2, p.ceramic("#f4f1ea"), sauce), (7.8, -0.8, base))
    k.studio(14, -1, 3.0, exposure=0.15)
    k.camera((1.2, 0, 8.2), 72, 20, 0, 85, 4.0, focus=(-2, -4, 9))


def bun_paint(q, low, high, seed):
    """Golden crust between heights, pale at the cut."""
    t = smooth(low, high, q[:, 2] + 0.25 * noise(q, 0.5, 3, seed))
    tone = blend("#e9bf7c", "#b9691f", t)
    return blend(tone, "#8a4312", smooth(0.1, 0.9, noise(q, 0.35, 3, seed + 1)) * t * 0.5)


def cheeseburger():
    """A cheeseburger with fries on dark wood."""
    k.table(k.wood("#24160d", "#4e321e", "#77512f", turn=90))
    k.backdrop("#1c1613", "#55392a", bokeh=10, power=6, seed=6)
    p.round_board(13, k.wood("#5d3c22", "#8d6038", "#b78a58", plank=40), 1.6)
    bread = stuff("paint", 0.4, sss=0.25, depth=0.3, coat=0.25, bump=0.015, bump_grain=3)
    z = 1.6
    bottom = k.lathe([(0, 0), (4.9, 0), (5.5, 0.3), (5.6, 1.0), (5.4, 1.5), (5.2, 1.5), (0, 1.5)], bread)
    k.paint(bottom, bun_paint(k.points(bottom), 1.5, 0.6, 2))
    k.put(bottom, (0, 0, z))
    z += 1.45

    def frill(seed, level):
        def fn(u, v):
            a = u * k.TAU
            q = np.stack([np.cos(a) * 2, np.sin(a) * 2, 0 * a], 1)
            r = 2.5 + v * (3.6 + 0.5 * noise(q, 0.8, 2, seed))
            wave = np.sin(a * 15 + 2 * noise(q, 0.7, 2, seed + 1)) + 0.7 * np.sin(a * 26 + seed)
            z = 0.25 + 0.32 * wave * v**3 - 0.5 * smooth(0.72, 1.0, v) + 0.2 * noise(q, 0.6, 2, seed + 2)
            return r * np.cos(a), r * np.sin(a), level + z

        def colour(q, u, v):
            tone = blend("#7fb03a", "#4f8f22", smooth(-0.5, 0.6, noise(q, 0.8, 3, seed)))
            return blend("#c9dd8c", tone, smooth(0.5, 0.95, v))

        leaf = k.surf(fn, 420, 40, stuff("paint", 0.35, sss=0.3, depth=0.12, coat=0.2), wrap_u=True, colour=colour)
        k.solid(leaf, 0.06)

    frill(3, z)
    z += 0.55
    k.put(tomato_slice(3.4, 0.65, 1), (-1.9, -1.7, z), (2, -2, 20))
    k.put(tomato_slice(3.4, 0.65, 2), (2.1, -1.4, z), (2, 2, 70))
    k.put(tomato_slice(3.3, 0.6, 3), (0, 2.2, z), (0, 0, 10))
    z += 0.6
    meat = stuff(
        [(0.3, "#2a130a"), (0.5, "#4a2413"), (0.72, "#6e3b20")],
        0.5,
        grain=1.6,
        coat=0.3,
        bump=0.12,
        bump_grain=2.6,
    )
    patty = k.lathe([(0, 0), (5.2, 0), (5.75, 0.4), (5.8, 1.2), (5.3, 1.8), (0, 1.8)], meat, 220, 4)
    k.displace(patty, lambda q: 0.16 * noise(q, 0.9, 4, 3) + 0.07 * noise(q, 3, 2, 4))
    k.put(patty, (0, 0, z))
    z += 1.8

    def slab(u, v):
        x, y = (u - 0.5) * 12.2, (v - 0.5) * 12.2
        r = np.maximum(np.hypot(x, y), 1e-3)
        over = np.clip(r - 5.6, 0, None)
        f = np.where(over > 0, (5.6 + np.minimum(over, 0.6) * 0.9 + 0.12 * over) / r, 1)
        q = np.stack([x, y, 0 * x], 1)
        return x * f, y * f, 0.12 - 0.95 * over * smooth(0, 0.7, over) + 0.08 * noise(q, 0.4, 2, 2)

    cheese = stuff("#f2a21c", 0.28, sss=0.4, depth=0.4, coat=0.3)
    k.put(k.solid(k.surf(slab, 90, 90, cheese), 0.28, 1), (0, 0, z), (0, 0, 38))
    z += 0.3
    onion = stuff([(0.3, "#e9d3df"), (0.7, "#f6ecf2")], 0.25, grain=1, sss=0.4, coat=0.3)
    purple = stuff("#8a3566", 0.25, coat=0.4)
    for i, (x, y, r) in enumerate(((-2.4, -2.3, 2.6), (2.3, -2.4, 2.7), (0.4, 1.5, 3.0))):
        for j, mat in ((0, purple), (1, onion), (2, onion)):
            ring = [((r - 0.32 * j) * math.cos(t), (r - 0.32 * j) * math.sin(t), 0) for t in np.linspace(0, k.TAU, 60)]
            k.put(k.tube(ring, 0.2 if j else 0.14, mat), (x, y, z + 0.2 + 0.05 * i), (2 * i, -2, 0))
    z += 0.22
    top = k.lathe(
        [(0, 0.1), (5.1, 0.1), (5.6, 0.4), (5.85, 1.2), (5.5, 2.6), (4.2, 3.9), (2.2, 4.5), (0, 4.6)],
        bread,
        180,
        4,
    )
    k.paint(top, bun_paint(k.points(top), 0.3, 1.6, 5))
    k.displace(top, lambda q: 0.08 * noise(q, 0.4, 3, 8))
    sesame = k.ball(0.17, stuff([(0.3, "#e8cf9a"), (0.7, "#f5e6c2")], 0.45, sss=0.2), (1, 1.6, 0.55), seg=16)
    rng = np.random.default_rng(5)
    lid = [top]
    for _ in range(170):
        r, a = 5.4 * math.sqrt(rng.random()), rng.uniform(0, k.TAU)
        hit = k.drop(r * math.cos(a), r * math.sin(a), on=top)
        lid.append(k.lay_copy(sesame, hit, spin=rng.uniform(0, 360), lift=0.04, scale=rng.uniform(0.8, 1.1)))
    sesame.hide_render = True
    k.group(lid, (0, 0, z), (-3, 2, 40))
    mat = fry_material()
    for i in range(26):
        k.put(
            fry(rng.uniform(6, 8.5), i, mat),
            (9.0 + rng.uniform(-3, 4), 5.5 + rng.uniform(-2.5, 2.5), 1.9 + 0.32 * (i // 3)),
            (rng.uniform(-14, 14), 90 + rng.uniform(-18, 18), rng.uniform(0, 180)),
        )
    k.studio(15, -1, 3.0, ambient=0.3, low=True, exposure=0.15)
    k.camera((0.6, 0, 6.3), 53, 12, 0, 85, 3.6, focus=(0, -5.6, 7))


def tomato_soup():
    """Tomato soup with cream, basil and croutons."""
    k.table(k.wood("#6a563f", "#97805f", "#bda684", turn=90))
    k.backdrop("#6b675f", "#a8a298")
    k.put(p.napkin(30, k.linen("#e6e1d6", stripes="#7e2f2a")), (2, 1, 0), (0, 0, 30))
    k.group(
        [
            p.plate(12, p.ceramic("#33393d"), 1.2, 0.6),
            k.put(p.bowl(8.8, 6.2, p.ceramic("#f2ede3", speck=("#6f6455", 4, 0.32))), (0, 0, 0.6)),
        ],
        (0, 0, 0.7),
    )
    level = 5.9

    def colour(v, u, w):
        x, y = v[:, 0], v[:, 1]
        q = v * (1, 1, 0)
        tone = blend("#b8300c", "#d8501a", smooth(-0.6, 0.6, noise(q, 0.5, 4, 2)))
        tone = blend(tone, "#e8842c", smooth(0.35, 0.8, noise(q, 1.4, 3, 3)) * 0.6)
        a, r = np.arctan2(y, x), np.hypot(x, y)
        turn = (a / k.TAU + 0.12 * noise(q, 0.4, 2, 5)) % 1
        arm = np.abs(((r - 1.3) / 1.5 - turn + 0.5) % 1 - 0.5) * 1.5
        width = (0.26 + 0.2 * noise(q, 0.6, 3, 6)) * smooth(5.6, 4.6, r + turn) * smooth(1.2, 1.7, r + 0.3)
        cream = 1 - smooth(0.5, 1.15, arm / np.maximum(width, 0.01))
        tone = blend(tone, "#f8e8cf", np.clip(cream, 0, 1) * smooth(0.04, 0.12, width) * 0.95)
        herb = smooth(0.62, 0.68, noise(q, 3.0, 2, 7)) * 0.9
        return blend(tone, "#34511c", herb)

    def height(x, y):
        q = np.stack([x, y, 0 * x], 1)
        return level + 0.05 * noise(q, 0.8, 3, 1) + 0.12 * smooth(7.6, 8.05, np.hypot(x, y))

    k.disk(
        8.08,
        height,
        stuff("paint", 0.2, sss=0.3, depth=0.3, coat=0.4, bump=0.015, bump_grain=4),
        220,
        360,
        colour,
    )
    toast = stuff([(0.3, "#a8642a"), (0.5, "#d29a50"), (0.7, "#ecc886")], 0.8, grain=1.3, bump=0.12, bump_grain=3)
    rng = np.random.default_rng(3)
    for x, y in ((-3.9, 2.6), (-2.5, 3.8), (-4.6, 0.9), (-2.6, 2.2), (3.6, 3.5), (4.8, 2.2)):
        k.put(
            k.box((1.5, 1.4, 1.3), toast, 0.2, 3, 0.14, 1.2, int(x * 7) % 50),
            (x, y, level + 0.45),
            tuple(rng.uniform(-25, 25, 3)),
        )
    p.sprig((0.3, 0.2, level + 0.2), 4, 3.0, 20, tilt=22)
    k.put(p.spoon(18), (13.0, -9.0, 1.0), (0, 0, 6))

    def loaf(u, v):
        a = u * k.TAU
        r = 1 + 0.1 * np.cos(3 * a)
        depth = 2 * v - 1
        f = np.clip(np.minimum((1 - np.abs(depth)) / 0.3, 1), 1e-3, 1)
        return (
            4.4 * r * f * np.cos(a),
            3.2 * r * f * np.sin(a),
            0.75 * np.sign(depth) * np.minimum(1, np.abs(depth) / 0.7),
        )

    def crumb(q, u, v):
        f = np.clip((1 - np.abs(2 * v - 1)) / 0.3, 0, 1)
        tone = blend("#ead2a4", "#f6e6c4", smooth(-0.5, 0.5, noise(q, 1.0, 4, 3)))
        return blend("#a35f26", tone, 1 - smooth(0.9, 1.0, f) * (np.abs(2 * v - 1) < 0.72))

    bread = stuff("paint", 0.85, sss=0.2, depth=0.2, bump=0.2, bump_grain=2.2)
    for x, y, a, t in ((-14.8, -4.5, 20, 8), (-15.2, 0.6, 50, 16)):
        k.put(k.surf(loaf, 160, 80, bread, wrap_u=True, colour=crumb), (x, y, 1.5 + t * 0.06), (t, 4, a))
    k.studio(13, -1, 2.4, exposure=0.1)
    k.camera((-0.6, -0.4, 4.4), 66, 44, 0, 85, 4.5, focus=(0, -2, 6.5))


def spaghetti():
    """Spaghetti with tomato sauce, basil and parmesan."""
    k.table(k.wood("#3a291c", "#6a4c34", "#93704f", turn=90))
    k.backdrop("#3d3a36", "#7a746b")
    p.plate(14.5, p.ceramic("#eceae5"), 2.4, 0.66)
    rng = np.random.default_rng(21)
    pasta = stuff([(0.3, "#e0a840"), (0.7, "#f0c766")], 0.3, grain=0.7, sss=0.35, depth=0.25, coat=0.4)
    for _ in range(150):
        base = 7.6 * math.sqrt(rng.random()) * 0.55
        a0 = rng.uniform(0, k.TAU)
        cx, cy = base * math.cos(a0), base * math.sin(a0)
        loop, turns, start = rng.uniform(1.6, 4.6), rng.uniform(0.6, 1.5), rng.uniform(0, k.TAU)
        wob, lay = rng.uniform(0, k.TAU, 3), rng.random() ** 0.6
        path = []
        for t in np.linspace(0, 1, 60):
            a = start + turns * k.TAU * t
            r = loop * (1 + 0.25 * math.sin(3 * t + wob[0]))
            x = cx + r * math.cos(a) + 0.3 * math.sin(9 * t + wob[1])
            y = cy + r * math.sin(a) * 0.9 + 0.3 * math.sin(8 * t + wob[2])
            d = math.hypot(x, y)
            if d > 8.4:
                x, y, d = x * 8.4 / d, y * 8.4 / d, 8.4
            dome = 4.3 * max(0.0, 1 - (d / 9.2) ** 2)
            path.append((x, y, 0.8 + dome * (0.35 + 0.65 * lay) + 0.16 * math.sin(7 * t + wob[0])))
        k.tube(path, 0.17, pasta, resolution=3)

    def blob(x, y):
        q = np.stack([x, y, 0 * x], 1)
        r = np.hypot(x, y) * (1 + 0.22 * noise(q, 0.3, 3, 3))
        return 6.05 - 0.07 * r**2 + 0.4 * noise(q, 0.8, 4, 4) - 2.4 * smooth(3.9, 5.4, r)

    sauce = stuff(
        [(0.3, "#86160a"), (0.6, "#b52c10"), (0.8, "#cf4a1c")],
        0.28,
        grain=1.2,
        coat=0.5,
        sss=0.2,
        depth=0.3,
        bump=0.1,
        bump_grain=2.2,
    )
    k.disk(5.6, blob, sauce, 160, 260)
    meat = stuff([(0.3, "#5e2c12"), (0.7, "#96542a")], 0.5, grain=1.5, coat=0.3, bump=0.12, bump_grain=2.5)
    for i, (x, y) in enumerate(((-2.1, -1.6), (2.2, -1.2), (0.2, 1.9))):
        k.put(k.ball(1.55, meat, (1, 1, 0.92), 0.2, 1.1, i, 70), (x, y, 7.0))
    flake = stuff([(0.3, "#f3e2b4"), (0.7, "#fbf2d6")], 0.5, sss=0.4)
    for _ in range(70):
        r, a = 5.0 * math.sqrt(rng.random()), rng.uniform(0, k.TAU)
        hit = k.drop(r * math.cos(a), r * math.sin(a))
        if hit:
            chip = k.box((rng.uniform(0.3, 1.1), rng.uniform(0.15, 0.3), 0.06), flake, 0.02)
            k.lay(chip, hit, spin=rng.uniform(0, 360), tilt=rng.uniform(-25, 25), lift=0.06)
    p.sprig((0.2, 0.2, 8.0), 4, 3.2, 40, tilt=24)
    k.put(p.fork(19), (-18.0, -8.5, 0.2), (0, 0, -6))
    k.put(p.napkin(22, k.linen("#8e2f2a")), (20, 6, 0), (0, 0, 20))
    k.studio(13, -1, 2.2, exposure=0.1)
    k.camera((0, 0, 3.2), 62, 34, -4, 85, 4.2, focus=(0, -3, 5.5))


def sushi_roll():
    """Salmon and cucumber maki on slate with chopsticks, wasabi and soy sauce."""
    k.table(k.wood("#2a1c13", "#55392a", "#7a563d", turn=90))
    k.backdrop("#2b2a28", "#56524c")
    k.put(k.box((37, 20, 1.0), k.stone("#1f2123", "#35383b", 0.5), 0.12), (0, 0, 0.5))
    rice = stuff([(0.3, "#f1ece0"), (0.7, "#fbf8f1")], 0.35, grain=2, sss=0.5, depth=0.3, coat=0.2)
    grain = k.ball(0.17, rice, (0.85, 2.0, 0.85), seg=14)
    nori = stuff([(0.3, "#0c130d"), (0.7, "#1a281a")], 0.38, grain=3, bump=0.05, bump_grain=4, coat=0.15)
    salmon = stuff(
        [(0.36, "#ef7a3e"), (0.5, "#f4935a"), (0.6, "#f9c09a")], 0.2, grain=0.9, coat=0.4, sss=0.4, depth=0.3
    )
    green = stuff([(0.3, "#a9c860"), (0.7, "#d3e39b")], 0.25, grain=1, coat=0.3, sss=0.4, depth=0.3)
    skin = stuff("#2f5a22", 0.3, coat=0.3)
    rng = np.random.default_rng(4)
    radius, high = 2.45, 2.9
    spots = [(-8.6, 1.6, 0), (-3.2, 2.4, 0), (2.3, 2.7, 0), (-5.6, -3.3, 0), (0.2, -2.6, 0), (7.6, 2.0, 1)]
    for n, (x, y, lying) in enumerate(spots):
        parts = [
            k.lathe(
                [(radius - 0.1, 0), (radius, 0), (radius, high), (radius - 0.1, high), (radius - 0.1, 0)],
                nori,
                140,
                1,
            ),
            k.disk(radius - 0.08, lambda x, y: high - 0.14 + 0 * x, rice),
        ]
        k.displace(parts[0], lambda q, n=n: 0.05 * noise(q, 0.6, 3, n))
        parts.append(k.put(k.box((1.5, 1.2, 1.2), salmon, 0.18, 2, 0.05, 1, n), (-0.2, -0.5, high - 0.48), (0, 0, 12)))
        parts.append(k.put(k.box((1.3, 0.75, 1.2), green, 0.12, 2, 0.04, 1, n), (0.2, 0.58, high - 0.48), (0, 0, -14)))
        parts.append(k.put(k.box((1.3, 0.12, 1.22), skin, 0.04), (0.31, 0.99, high - 0.48), (0, 0, -14)))
        count = 0
        while count < 170:
            r, a = (radius - 0.3) * math.sqrt(rng.random()), rng.uniform(0, k.TAU)
            gx, gy = r * math.cos(a), r * math.sin(a)
            if abs(gx) < 0.92 and -1.12 < gy < 1.08:
                continue
            parts.append(
                k.copy(
                    grain,
                    (gx, gy, high - 0.17 + rng.uniform(-0.05, 0.14)),
                    (rng.uniform(-25, 25), rng.uniform(-25, 25), rng.uniform(0, 360)),
                    rng.uniform(0.85, 1.1),
                )
            )
            count += 1
        if lying:
            k.group(parts, (x, y - 2.5, 1.0 + radius), (82, 0, 24))
        else:
            k.group(parts, (x, y, 1.0), (0, 0, rng.uniform(0, 360)))
    k.hide(grain)
    paste = stuff([(0.3, "#8fae48"), (0.7, "#afc766")], 0.6, grain=1.5, sss=0.3, bump=0.1, bump_grain=2.5)
    k.put(k.ball(1.5, paste, (1, 1, 0.75), 0.22, 0.9, 3, 60), (13.2, 1.0, 1.9))
    pickle = stuff([(0.3, "#f0b9a0"), (0.7, "#f9dcc4")], 0.25, grain=0.8, coat=0.4, sss=0.5, depth=0.3)

    def ginger(u, v):
        s = 2 * v - 1
        return 1.9 * (u - 0.5) * (1 + 0.2 * s), 1.3 * s, 0.55 * np.sin(u * 9 + s) + 0.25 * np.sin(s * 5)

    slip = k.solid(k.surf(ginger, 40, 30, pickle), 0.06, 1)
    for i in range(7):
        k.copy(
            slip,
            (12.6 + rng.uniform(-1, 1), -4.2 + rng.uniform(-0.8, 0.8), 1.6 + 0.25 * i),
            (rng.uniform(-30, 30), rng.uniform(-30, 30), i * 55),
        )
    k.hide(slip)
    soy = stuff("#170805", 0.05, coat=1)
    k.group(p.ramekin(3.6, 2.4, p.ceramic("#2a3d4d"), soy), (-15.5, 9.5, 0))
    lacquer = stuff([(0.3, "#5c1510"), (0.7, "#7a2018")], 0.2, grain=0.4, coat=0.6)
    for off, turn in ((0, 80), (1.1, 83)):
        k.put(
            k.lathe([(0, 0), (0.2, 0), (0.25, 6), (0.42, 23), (0, 23)], lacquer, 24),
            (-12.5, -8.2 - off, 1.35),
            (0, 90, turn - 78),
        )
    k.studio(14, -1, 2.6, exposure=0.15)
    k.camera((0.6, -1.0, 2.0), 58, 37, -6, 85, 4.2, focus=(0, -3, 3.6))


def fried_egg():
    """Two sunny-side-up eggs in an iron pan with tomatoes and chives."""
    k.table(k.wood("#6f5a42", "#a08665", "#c6ae8a", turn=90))
    k.backdrop("#5e6568", "#99a1a4")
    iron = stuff([(0.3, "#161515"), (0.7, "#272523")], 0.32, grain=2, metal=0.4, bump=0.02, bump_grain=7)
    k.lathe(
        [
            (0, 0.2),
            (9.6, 0.2),
            (10.2, 0.4),
            (11.9, 4.0),
            (12.1, 4.15),
            (12.3, 4.0),
            (12.2, 3.9),
            (12.0, 4.1),
            (11.6, 3.9),
            (10.0, 0.9),
            (9.4, 0.7),
            (0, 0.7),
        ],
        iron,
    )

    def grip(u, v):
        a = v * k.TAU
        w = 1.05 + 0.5 * (1 - smooth(0, 0.2, u)) + 0.35 * smooth(0.6, 0.95, u)
        return w * np.cos(a), 11.6 + u * 15, 3.5 + 0.5 * np.sin(a) + 0.9 * u

    k.put(k.surf(grip, 80, 40, iron, wrap_v=True), rot=(0, 0, -52))
    yolk = stuff([(0.3, "#f59a0a"), (0.7, "#fcb51e")], 0.1, grain=0.5, sss=0.5, depth=0.5, coat=0.9)
    for n, (x, y, turn) in enumerate(((-3.9, 1.2, 0), (4.0, -1.6, 140))):

        def outline(a, n=n):
            q = np.stack([np.cos(a), np.sin(a), 0 * a], 1)
            return 4.5 + 0.75 * noise(q, 0.9, 2, n + 3) + 0.16 * noise(q, 5, 3, n + 4)

        def height(x, y, n=n):
            a, r = np.arctan2(y, x), np.hypot(x, y)
            q = np.stack([x, y, 0 * x], 1)
            s = r / outline(a)
            body = 0.42 * np.clip(1 - s**5, 0, 1) ** 0.5 + 0.75 * np.exp(-((r / 2.4) ** 4))
            blister = 0.13 * np.clip(noise(q, 1.0, 3, n + 6), -0.3, 1) * smooth(0.4, 0.85, s) * smooth(1.0, 0.9, s)
            return np.where(s < 1, 0.04 + body + blister + 0.05 * noise(q, 0.5, 2, n), -0.3)

        def colour(v, u, w, n=n):
            a, r = np.arctan2(v[:, 1], v[:, 0]), np.hypot(v[:, 0], v[:, 1])
            s = r / outline(a)
            q = v * (1, 1, 0)
            white = blend("#f4efe4", "#fdfbf6", smooth(-0.5, 0.5, noise(q, 0.9, 3, n)))
            crisp = smooth(0.9, 1.0, s + 0.07 * noise(q, 1.3, 3, n + 9))
            return blend(white, "#a9652a", crisp * 0.9)

        white = k.disk(
            5.9,
            height,
            stuff("paint", 0.22, sss=0.5, depth=0.3, coat=0.4, bump=0.012, bump_grain=3),
            200,
            360,
            colour,
        )
        k.put(white, (x, y, 0.72), (0, 0, turn))
        k.put(k.ball(1.85, yolk, (1, 1, 0.62), 0.04, 0.4, n, 64), (x + 0.1, y - 0.1, 1.85))
    rng = np.random.default_rng(6)
    pepper = k.box((0.13, 0.11, 0.1), stuff("#1e1712", 0.7), 0.02)
    chive = k.lathe([(0.06, 0), (0.16, 0), (0.16, 0.5), (0.06, 0.5), (0.06, 0)], stuff("#4f9a2c", 0.4), 16, 1)
    for i in range(150):
        r, a = 8.6 * math.sqrt(rng.random()), rng.uniform(0, k.TAU)
        hit = k.drop(r * math.cos(a), r * math.sin(a))
        if hit and i < 105:
            k.lay_copy(pepper, hit, spin=rng.uniform(0, 360), lift=0.02, scale=rng.uniform(0.5, 1.2))
        elif hit:
            k.lay_copy(chive, hit, spin=rng.uniform(0, 360), tilt=rng.uniform(50, 90), lift=0.12)
    pepper.hide_render = chive.hide_render = True
    for i, (x, y) in enumerate(((0.2, 6.8), (2.9, 6.2), (-0.9, -6.6), (-3.6, -6.0), (7.4, 4.0))):
        k.put(p.tomato_half(1.45), (x, y, 2.1), (30 * i, 20, 40 * i))
    p.sprig((5.5, 6.8, 1.6), 3, 3.0, 10, tilt=15)
    shell = stuff([(0.3, "#d9a67c"), (0.7, "#e8bf9a")], 0.5, grain=0.8, sss=0.15, bump=0.01, bump_grain=6)
    for x, y, a in ((-15.5, 6.2, 20), (-17.0, 1.0, 80)):
        k.put(k.ball(2.3, shell, (1, 1, 1.28), seg=64), (x, y, 2.25), (86, 0, a))
    k.studio(13, -1, 2.4, exposure=0.1)
    k.camera((0, 0.2, 1.6), 74, 44, 0, 85, 4.5, focus=(0, -2, 2.2))


def green_salad():
    """A bowl of leaf salad with tomatoes, cucumber, onion and feta."""
    k.table(k.linen("#d8d5cc", "#c9c5ba"))
    k.backdrop("#8fa08c", "#cbd5c6")
    k.put(p.bowl(12.5, 6.6, k.wood("#5a3a21", "#87592f", "#ae8150", plank=60, rough=0.35), 5.5), (0, 0, 0.1))
    rng = np.random.default_rng(17)
    looks = [
        {},
        {"dark": "#2d6517", "light": "#6aa02e"},
        {"dark": "#5a1f30", "light": "#6f8f35", "pale": "#b8c67a"},
    ]
    for i in range(46):
        ring = i / 46
        r, a = 8.8 * math.sqrt(1 - ring * 0.97), i * 2.4
        leaf = lettuce(
            rng.uniform(6.5, 8.5),
            rng.uniform(4.5, 6.5),
            0.55,
            rng.uniform(0.3, 0.7),
            i,
            **looks[(i * 7) % 5 % 3],
        )
        tilt = 42 * r / 8.8 + rng.normal(0, 10)
        k.put(
            k.solid(leaf, 0.05),
            (r * math.cos(a), r * math.sin(a), 4.2 + 3.2 * ring + rng.uniform(0, 0.6)),
            (tilt, rng.normal(0, 14), math.degrees(a) - 90 + rng.normal(0, 20)),
        )
    onion = stuff([(0.3, "#8a3566"), (0.6, "#e6c4d6")], 0.3, grain=0.8, coat=0.3, sss=0.3)
    feta = stuff([(0.3, "#f2eee2"), (0.7, "#fdfbf4")], 0.6, grain=2, sss=0.4, bump=0.08, bump_grain=3)
    taken = []

    def spot(gap):
        for _ in range(300):
            r, a = 8.6 * math.sqrt(rng.random()), rng.uniform(0, k.TAU)
            x, y = r * math.cos(a), r * math.sin(a)
            if all(math.hypot(x - t[0], y - t[1]) > (gap + t[2]) * 0.75 for t in taken):
                break
        taken.append((x, y, gap))
        return k.drop(x, y)

    for _ in range(9):
        loc = spot(1.7)[0]
        k.put(p.tomato_half(1.6), loc + k.Vector((0, 0, 0.7)), tuple(rng.uniform(0, 360, 3)))
    for _ in range(9):
        slice_ = p.citrus(1.95, 0.4, "#cfe2a2", "#2c5f20", 3)
        k.put(
            slice_,
            spot(1.9)[0] + k.Vector((0, 0, 0.5)),
            (rng.uniform(0, 50), rng.uniform(-30, 30), rng.uniform(0, 360)),
        )
    for i in range(12):
        k.put(
            k.box((1.4, 1.3, 1.2), feta, 0.12, 3, 0.12, 1.4, i),
            spot(1.0)[0] + k.Vector((0, 0, 0.35)),
            tuple(rng.uniform(-40, 40, 3)),
        )
    for _ in range(8):
        radius = rng.uniform(1.4, 2.2)
        ring = [
            (radius * math.cos(t), radius * math.sin(t) * 0.85, 0.25 * math.sin(2 * t))
            for t in np.linspace(0, k.TAU, 50)
        ]
        k.put(k.tube(ring, 0.14, onion), spot(0.8)[0] + k.Vector((0, 0, 0.4)), tuple(rng.uniform(-30, 30, 3)))
    k.put(p.fork(19), (17.0, -9.5, 0.2), (0, 0, 10))
    k.studio(13, -1, 2.6, sky="#d5dde0", ambient=0.45, exposure=0.15)
    k.camera((0, -0.2, 5.0), 72, 44, 3, 85, 4.5, focus=(0, -3, 8))


MAINS = {
    "margherita-pizza": margherita_pizza,
    "cheeseburger": cheeseburger,
    "french-fries": french_fries,
    "tomato-soup": tomato_soup,
    "spaghetti": spaghetti,
    "sushi-roll": sushi_roll,
    "fried-egg": fried_egg,
    "green-salad": green_salad,
}
