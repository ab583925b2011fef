"""Tableware and small garnishes shared by the dishes."""
# mypy: ignore-errors

import math

import bmesh
import numpy as np
from kit import (
    TAU,
    ball,
    blend,
    box,
    ceramic,
    disk,
    glass,
    lathe,
    lay_copy,
    linen,
    noise,
    points,
    put,
    rgb,
    smooth,
    solid,
    steel,
    stuff,
    surf,
    tube,
)
from mathutils import Vector


# ---------------------------------------------------------------- tableware
def plate(radius=13.0, mat=None, rise=1.8, well=0.68):
    """A plate whose well lies at z = 0.6."""
    r, w = radius, radius * well
    return lathe(
        [
            (0, 0.2),
            (w * 0.9, 0.2),
            (w * 0.95, 0),
            (w, 0),
            (w * 1.04, 0.35),
            (r, rise - 0.1),
            (r + 0.1, rise),
            (r + 0.05, rise + 0.15),
            (r - 0.2, rise + 0.1),
            (w * 1.08, 0.75),
            (w, 0.6),
            (w * 0.9, 0.6),
            (0, 0.6),
        ],
        mat or ceramic(),
    )


def bowl(radius=8.5, height=6.0, mat=None, foot=3.6):
    """A soup bowl with a foot ring."""
    r, h = radius, height
    return lathe(
        [
            (0, 0.4),
            (foot * 0.85, 0.4),
            (foot * 0.9, 0),
            (foot, 0),
            (foot, 0.5),
            (r * 0.72, h * 0.3),
            (r * 0.96, h * 0.72),
            (r, h),
            (r - 0.05, h + 0.12),
            (r - 0.25, h + 0.05),
            (r * 0.92, h * 0.72),
            (r * 0.68, h * 0.34),
            (foot, 0.9),
            (0, 0.8),
        ],
        mat or ceramic(),
    )


def cup(radius, height, mat, foot=0.55, handle=1.0):
    """A coffee cup with a handle at +x."""
    r, h, f = radius, height, radius * foot
    body = lathe(
        [
            (0, 0.3),
            (f * 0.85, 0.3),
            (f * 0.9, 0),
            (f, 0),
            (f, 0.35),
            (r * 0.86, h * 0.4),
            (r * 0.98, h * 0.75),
            (r, h),
            (r - 0.04, h + 0.1),
            (r - 0.2, h + 0.02),
            (r * 0.98 - 0.28, h * 0.75),
            (r * 0.84 - 0.25, h * 0.42),
            (f * 0.9, 0.7),
            (0, 0.6),
        ],
        mat,
    )
    a = np.linspace(-0.42 * math.pi, 0.5 * math.pi, 24)
    path = [(r * 0.86 + handle * h * 0.33 * math.cos(t), 0, h * 0.58 + h * 0.27 * math.sin(t)) for t in a]
    path = [(r * 0.8, 0, h * 0.36), *path, (r * 0.86, 0, h * 0.86)]
    grip = tube(path, h * 0.055, mat, resolution=8)
    grip.scale.y = 1.4
    return [body, grip]


def tumbler(radius=3.6, height=13.0, wall=0.22, base=1.0, taper=0.86, mat=None):
    """A straight glass; inside radius at height z is given by `inner(radius, ...)`."""
    r, h, b = radius, height, radius * taper
    return lathe(
        [
            (0, 0),
            (b - 0.3, 0),
            (b, 0.05),
            (b, 0.3),
            (r, h),
            (r, h + 0.1),
            (r - wall, h + 0.1),
            (r - wall, h),
            (b - wall, base + 0.2),
            (b - wall - 0.15, base),
            (0, base),
        ],
        mat or glass(),
    )


def filling(radius, level, mat, wall=0.22, base=1.0, taper=0.86, height=13.0):
    """The drink in a `tumbler`, overlapping the wall a hair so that no air gap shows."""
    b = radius * taper - wall + 0.02
    top = radius * (taper + (1 - taper) * level / height) - wall + 0.02
    return lathe(
        [
            (0, base - 0.02),
            (b - 0.15, base - 0.02),
            (b, base + 0.2),
            (top, level),
            (top, level),
            (top - 0.12, level - 0.07),
            (0, level - 0.07),
        ],
        mat,
    )


def flatware(outline, depth, lift, length, thick=0.14, tines=0):
    """A piece of cutlery along +y: half width outline(t), bowl depth(t), side profile lift(t)."""

    def fn(u, v):
        s = 2 * v - 1
        return outline(u) * s, u * length, lift(u) - depth(u) * (1 - s * s)

    obj = surf(fn, 90, 22 if tines else 17, steel())
    if tines:
        bm = bmesh.new()
        bm.from_mesh(obj.data)
        gone = []
        for face in bm.faces:
            c = face.calc_center_median()
            t = c.y / length
            s = (c.x / max(outline(np.array([t]))[0], 0.01) + 1) / 2 * 21
            if t > 0.78 and int(s) % 6 in (4, 5) and int(s) < 18:
                gone.append(face)
        bmesh.ops.delete(bm, geom=gone, context="FACES")
        bm.to_mesh(obj.data)
        bm.free()
    return solid(obj, thick, 1)


def spoon(length=14.0):
    """A spoon, bowl at the +y end."""

    def outline(t):
        handle = 0.42 - 0.2 * smooth(0.0, 0.6, t)
        return handle * (1 - smooth(0.66, 0.72, t)) + 1.45 * np.sqrt(
            np.clip(1 - ((t - 0.85) / 0.152) ** 2, 0.002, 1)
        ) * smooth(0.66, 0.74, t)

    return flatware(
        outline,
        lambda t: 0.55 * smooth(0.7, 0.85, t) * (1 - smooth(0.9, 1.0, t)),
        lambda t: 0.5 + 0.5 * np.sin(t * 2.6 + 0.3),
        length,
        0.12,
    )


def fork(length=19.0):
    """A fork, tines at the +y end."""

    def outline(t):
        return (0.55 - 0.25 * smooth(0, 0.55, t)) * (1 - smooth(0.62, 0.76, t)) + 1.2 * smooth(0.6, 0.76, t)

    return flatware(
        outline,
        lambda t: 0.25 * smooth(0.62, 0.8, t) * (1 - smooth(0.85, 1.0, t)),
        lambda t: 0.4 + 0.5 * np.sin(t * 2.8),
        length,
        0.16,
        tines=4,
    )


def napkin(size=26.0, mat=None, seed=4, height=0.5):
    """A crumpled square of cloth."""

    def fn(u, v):
        x, y = (u - 0.5) * size, (v - 0.5) * size
        p = np.stack([x, y, 0 * x + seed], 1)
        z = 0.12 + height * np.abs(noise(p, 0.09, 3, seed)) + 0.05 * noise(p, 0.5, 2, seed)
        return x + 0.5 * noise(p, 0.12, 2, seed + 1), y + 0.5 * noise(p, 0.12, 2, seed + 2), z

    return solid(surf(fn, 90, 90, mat or linen("#d9d2c4")), 0.12)


def board(size=(34, 24, 1.8), mat=None):
    """A cutting board resting on the table."""
    return put(box(size, mat, bevel=0.5), (0, 0, size[2] / 2))


def round_board(radius, mat, height=1.6):
    """A round board resting on the table."""
    r, h = radius, height
    return lathe([(0, 0), (r - 0.3, 0), (r, 0.3), (r, h - 0.3), (r - 0.3, h), (r - 0.35, h), (0, h)], mat)


def ramekin(radius, height, mat, content):
    """A small pot with a sauce."""
    r, h = radius, height
    pot = lathe(
        [
            (0, 0),
            (r * 0.85, 0),
            (r * 0.9, 0.1),
            (r, h),
            (r, h + 0.08),
            (r - 0.2, h + 0.08),
            (r - 0.2, h),
            (r * 0.75, 0.4),
            (0, 0.4),
        ],
        mat,
    )
    sauce = disk(r - 0.18, lambda x, y: h * 0.8 + 0.12 * noise(np.stack([x, y, 0 * x], 1), 0.6, 2, 5), content)
    return [pot, sauce]


# ---------------------------------------------------------------- garnishes
def leaf(length=5.0, width=3.0, curl=0.5, cup_=0.35, seed=0, dark="#1f5a17", light="#5f9a35", serrate=0.0, mat=None):
    """A veined leaf lying along +y, tip up by `curl`."""

    def fn(u, v):
        s = 2 * v - 1
        w = width / 2 * np.sin(np.clip(u, 0.004, 0.996) ** 0.75 * math.pi) ** 0.8
        w = w * (1 + serrate * np.sin(u * 60))
        p = np.stack([s * w, u * length, 0 * u + seed], 1)
        z = cup_ * (np.abs(s) ** 1.4) * w + curl * np.sin(u * 2.6) * 1.2 - curl * u * u + 0.18 * noise(p, 0.7, 2, seed)
        z += 0.05 * np.abs(np.sin((u * 9 - np.abs(s) * 1.4) * math.pi)) * smooth(0.02, 0.3, np.abs(s))
        return s * w, (u - 0.5) * length, z

    def colour(p, u, v):
        s = np.abs(2 * v - 1)
        side = 1 - smooth(0.0, 0.16, np.abs(np.sin((u * 9 - s * 1.4) * math.pi)))
        vein = np.maximum(1 - smooth(0.02, 0.09, s), side * 0.5)
        base = blend(dark, light, smooth(-0.6, 0.7, noise(p, 0.8, 3, seed + 7)) * 0.6)
        return blend(base, "#93bd5e", vein * 0.7)

    return surf(fn, 60, 31, mat or stuff("paint", 0.38, sss=0.25, depth=0.1, spec=0.5), colour=colour, name="leaf")


def sprig(loc, count=5, size=3.2, spin=0.0, kind="basil", tilt=25):
    """A few leaves round a point."""
    look = {"basil": {}, "mint": {"dark": "#1d6b2a", "light": "#62b04a", "serrate": 0.05}}[kind]
    for i in range(count):
        one = leaf(size * (0.85 + 0.25 * ((i * 37) % 5) / 4), size * 0.62, 0.5, 0.35, seed=i + 11, **look)
        angle = spin + i * 360 / count + (i * 53) % 17
        a = math.radians(angle)
        put(
            one,
            (loc[0] - math.sin(a) * size * 0.36, loc[1] + math.cos(a) * size * 0.36, loc[2] + 0.12 * i),
            (tilt - 8 * (i % 2), 0, angle),
        )


def citrus(radius=3.0, thick=0.5, flesh="#f3d23b", rind="#f0b90b", segments=10, lift=0.0):
    """A round slice lying flat, cut faces up and down."""

    def fn(u, v):
        s = 2 * v - 1
        inner = np.where(s < 0, (s + 1), (1 - s))
        rr = radius * np.clip(inner / 0.8, 1e-3, 1)
        bulge = 0.04 * np.abs(np.sin(u * segments * math.pi)) * smooth(0.1, 0.5, rr / radius) * (rr < radius * 0.88)
        z = np.sign(s) * (thick / 2 + bulge) * np.where(inner > 0.8, 0.92, 1)
        z = np.where(inner > 0.8, np.sign(s) * thick / 2 * (1 - (inner - 0.8) / 0.2), z)
        return rr * np.cos(u * TAU), rr * np.sin(u * TAU), z

    def colour(p, u, v):
        r = np.hypot(p[:, 0], p[:, 1]) / radius
        wall = np.abs(np.sin(u * segments * math.pi)) * r * TAU / segments
        cells = noise(np.stack([u * 60, r * 4, 0 * u], 1), 1, 2, 3)
        pulp = blend(
            np.asarray(rgb(flesh)) * 0.8,
            np.clip(np.asarray(rgb(flesh)) * 1.25, 0, 1),
            smooth(-0.5, 0.6, cells),
        )
        pith = np.maximum(1 - smooth(0.02, 0.06, wall), np.maximum(smooth(0.84, 0.88, r), 1 - smooth(0.05, 0.09, r)))
        base = blend(pulp, "#fbf3d0", pith)
        return blend(base, rind, smooth(0.95, 0.975, r))

    return surf(fn, 240, 80, stuff("paint", 0.25, sss=0.5, depth=0.4, coat=0.4, lift=lift), wrap_u=True, colour=colour)


def berry(radius=0.75, mat=None):
    """A blueberry with its crown."""
    mat = mat or stuff([(0.3, "#1a2147"), (0.7, "#3c4a80")], 0.55, grain=1.5, sheen=0.4)
    fruit = ball(radius, mat, (1, 1, 0.88), 0.03, 1.0, 3, 32)
    star = lathe(
        [
            (radius * 0.35, radius * 0.75),
            (radius * 0.42, radius * 0.93),
            (radius * 0.3, radius * 0.84),
            (0, radius * 0.8),
        ],
        stuff("#141833", 0.7),
        24,
    )
    return [fruit, star]


def tomato_half(radius=1.5):
    """A cherry tomato."""
    body = ball(
        radius,
        stuff([(0.3, "#b3130b"), (0.7, "#d8301a")], 0.12, grain=0.5, sss=0.3, depth=0.4, coat=0.6),
        (1, 1, 0.94),
        0.04,
        0.5,
        2,
    )
    return body


def straw(base, top, stripe="#d23b3b", radius=0.32):
    """A striped paper straw from `base` to `top`."""
    base, top = np.asarray(base, float), np.asarray(top, float)
    axis = top - base
    length = np.linalg.norm(axis)
    axis /= length
    side = np.cross(axis, (0, 1, 0))
    side /= np.linalg.norm(side)
    other = np.cross(axis, side)

    def fn(u, v):
        a = v * TAU
        p = base + np.outer(u * length, axis) + radius * (np.outer(np.cos(a), side) + np.outer(np.sin(a), other))
        return p.T

    def colour(p, u, v):
        return blend("#f5f1ea", stripe, smooth(0.48, 0.52, ((u * length / 2.2 + v) % 1)))

    return solid(surf(fn, 260, 40, stuff("paint", 0.6), wrap_v=True, colour=colour), 0.05)


def ice_cubes(spots, size=2.3, mat=None, seed=1):
    """Slightly dented ice cubes at the given positions."""
    mat = mat or glass(ior=1.31, bump=0.03, bump_grain=1.2)
    rng = np.random.default_rng(seed)
    for i, spot in enumerate(spots):
        cube = box((size, size * rng.uniform(0.85, 1), size * rng.uniform(0.8, 1)), mat, 0.28, 2, 0.07, 0.7, i)
        put(cube, spot, rng.uniform(0, 360, 3))


def dew(obj, count, mat=None, seed=2, zmin=0.0, zmax=1e9, size=(0.04, 0.13)):
    """Condensation: flattened drops on the outside of a lathe."""
    mat = mat or glass(ior=1.33)
    rng = np.random.default_rng(seed)
    p = points(obj)
    normals = np.empty(len(p) * 3, np.float32)
    obj.data.vertex_normals.foreach_get("vector", normals)
    normals = normals.reshape(-1, 3)
    radius = np.hypot(p[:, 0], p[:, 1])
    outside = (normals[:, :2] * p[:, :2]).sum(1) > 0.5 * radius
    pick = np.flatnonzero(outside & (p[:, 2] > zmin) & (p[:, 2] < zmax) & (p[:, 1] < 1))
    seed_drop = ball(1, mat, (1, 1, 0.55), seg=16)
    by_height = pick[np.argsort(p[pick, 2])]
    heights, radii = p[by_height, 2], radius[by_height]
    for _ in range(count):
        z, a = rng.uniform(heights[0], heights[-1]), rng.uniform(math.pi, 2 * math.pi)
        r = np.interp(z, heights, radii)
        normal = Vector((math.cos(a), math.sin(a), 0))
        lay_copy(
            seed_drop,
            (Vector((r * math.cos(a), r * math.sin(a), z)), normal, None),
            scale=rng.uniform(*size) * (1.6 if rng.random() < 0.08 else 1),
        )
    seed_drop.hide_render = True
