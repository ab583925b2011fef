"""Building blocks of the dish renderer: noise, meshes, materials, light, camera and output.

One Blender unit is one centimetre. Nothing here loads a file: every shape and texture is computed.
"""
# mypy: ignore-errors

import math
import os
import tempfile

import bpy
import numpy as np
from mathutils import Matrix, Vector

TAU = 2 * math.pi


# ---------------------------------------------------------------- numbers and noise
def rgb(code):
    """Turn '#rrggbb' (sRGB) into a linear (r, g, b) tuple; pass tuples through."""
    if not isinstance(code, str):
        return tuple(code)
    srgb = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return tuple(c / 12.92 if c < 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in srgb)


def smooth(lo, hi, x):
    """Smoothstep from 0 at `lo` to 1 at `hi`, elementwise."""
    t = np.clip((x - lo) / (hi - lo), 0, 1)
    return t * t * (3 - 2 * t)


def blend(a, b, mask):
    """Mix colours `a` and `b` (codes, tuples or n x 3 arrays) by an n-vector mask."""
    a, b = (np.asarray(rgb(c) if isinstance(c, str) else c) for c in (a, b))
    mask = np.asarray(mask)[:, None]
    return a * (1 - mask) + b * mask


def noise(p, scale=1.0, octaves=3, seed=0):
    """Gradient noise (fractal sum) of an n x 3 array of points, about -1..1."""
    table = np.random.default_rng(seed)
    perm = np.tile(table.permutation(256), 3)
    grads = table.normal(size=(256, 3))
    grads /= np.linalg.norm(grads, axis=1)[:, None]
    total, amp = np.zeros(len(p)), 1.0
    q = np.asarray(p, float) * scale
    for _ in range(octaves):
        cell = np.floor(q).astype(int)
        f = q - cell
        w = f * f * f * (f * (f * 6 - 15) + 10)
        for dx in (0, 1):
            for dy in (0, 1):
                for dz in (0, 1):
                    c = (cell + np.array((dx, dy, dz))) & 255
                    g = grads[perm[perm[perm[c[:, 0]] + c[:, 1]] + c[:, 2]]]
                    weight = np.ones(len(q))
                    for axis, d in enumerate((dx, dy, dz)):
                        weight *= w[:, axis] if d else 1 - w[:, axis]
                    total += amp * weight * np.einsum("ij,ij->i", g, f - (dx, dy, dz)) * 1.6
        q, amp = q * 2.03, amp * 0.5
    return total


# ---------------------------------------------------------------- meshes
def mesh(name, verts, faces, mat=None, flat=False):
    """Make an object from vertices and faces, smooth shaded unless `flat`."""
    data = bpy.data.meshes.new(name)
    data.from_pydata([tuple(v) for v in verts], [], [tuple(f) for f in faces])
    data.validate()
    if not flat:
        data.shade_smooth()
    obj = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(obj)
    if mat:
        data.materials.append(mat)
    return obj


def points(obj):
    """Return the vertex positions of a mesh object as an n x 3 array."""
    out = np.empty(len(obj.data.vertices) * 3)
    obj.data.vertices.foreach_get("co", out)
    return out.reshape(-1, 3)


def paint(obj, colours):
    """Store a linear colour per vertex; materials made with base='paint' show it."""
    layer = obj.data.attributes.new("paint", "FLOAT_COLOR", "POINT")
    layer.data.foreach_set("color", np.c_[colours, np.ones(len(colours))].astype(np.float32).ravel())
    return obj


def displace(obj, amount):
    """Move each vertex along its normal; `amount` is a function of the points or an array."""
    p = points(obj)
    normals = np.empty(len(p) * 3, np.float32)
    obj.data.vertex_normals.foreach_get("vector", normals)
    d = amount(p) if callable(amount) else amount
    obj.data.vertices.foreach_set("co", (p + normals.reshape(-1, 3) * d[:, None]).ravel())
    obj.data.update()
    return obj


def surf(fn, nu, nv, mat=None, wrap_u=False, wrap_v=False, colour=None, name="surf"):
    """Tessellate fn(u, v) -> (x, y, z) over the unit square; `colour(p, u, v)` paints it."""
    us = np.linspace(0, 1, nu, endpoint=not wrap_u)
    vs = np.linspace(0, 1, nv, endpoint=not wrap_v)
    u, v = (a.ravel() for a in np.meshgrid(us, vs, indexing="ij"))
    verts = np.stack([np.broadcast_to(c, u.shape) for c in fn(u, v)], 1)
    faces = []
    for i in range(nu if wrap_u else nu - 1):
        for j in range(nv if wrap_v else nv - 1):
            i2, j2 = (i + 1) % nu, (j + 1) % nv
            faces.append((i * nv + j, i2 * nv + j, i2 * nv + j2, i * nv + j2))
    obj = mesh(name, verts, faces, mat)
    if colour:
        paint(obj, colour(verts, u, v))
    return obj


def rounded(profile, passes=3):
    """Cut the corners of a polyline (Chaikin); end points stay."""
    pts = np.asarray(profile, float)
    for _ in range(passes):
        q = pts[:-1] * 0.75 + pts[1:] * 0.25
        r = pts[:-1] * 0.25 + pts[1:] * 0.75
        pts = np.vstack([pts[:1], np.stack([q, r], 1).reshape(-1, 2)[1:-1], pts[-1:]])
    return pts


def lathe(profile, mat=None, seg=128, passes=3, name="lathe"):
    """Revolve a (radius, height) profile round the z axis; list it from the bottom outside in."""
    pts = rounded(profile, passes)
    n = len(pts)

    def fn(u, v):
        idx = np.rint(v * (n - 1)).astype(int)
        r, z = pts[idx, 0], pts[idx, 1]
        return np.maximum(r, 1e-4) * np.cos(u * TAU), np.maximum(r, 1e-4) * np.sin(u * TAU), z

    return surf(fn, seg, n, mat, wrap_u=True, name=name)


def disk(radius, height, mat=None, rings=60, seg=160, colour=None, edge=0.0):
    """A round surface z = height(x, y); `edge` > 0 adds a skirt of that depth."""

    def fn(u, v):
        r = radius * np.minimum(v * (1 + (0.12 if edge else 0)), 1)
        x, y = np.maximum(r, 1e-4) * np.cos(u * TAU), np.maximum(r, 1e-4) * np.sin(u * TAU)
        z = height(x, y) if callable(height) else np.full(len(x), float(height))
        return x, y, np.where(v > 0.999, z - edge, z)

    return surf(fn, seg, rings, mat, wrap_u=True, colour=colour, name="disk")


def ball(radius, mat=None, squash=(1, 1, 1), rough=0.0, scale=1.0, seed=0, seg=48, colour=None):
    """A sphere, squashed per axis and dented with noise of amplitude `rough`."""

    def fn(u, v):
        t = np.clip(v, 1e-3, 1 - 1e-3) * math.pi
        p = np.stack([np.sin(t) * np.cos(u * TAU), np.sin(t) * np.sin(u * TAU), -np.cos(t)], 1)
        r = radius + (noise(p * radius, scale, 3, seed) * rough if rough else 0)
        return (p * np.reshape(r, (-1, 1) if rough else 1) * np.asarray(squash)).T

    return surf(fn, seg, seg // 2, mat, wrap_u=True, colour=colour, name="ball")


def box(size, mat=None, bevel=0.1, cuts=0, rough=0.0, scale=1.0, seed=0):
    """A box with rounded edges, optionally subdivided and dented."""
    bpy.ops.mesh.primitive_cube_add(size=1)
    obj = bpy.context.object
    obj.scale = size
    bpy.ops.object.transform_apply(scale=True)
    mod = obj.modifiers.new("bevel", "BEVEL")
    mod.width, mod.segments = bevel, 4
    if cuts:
        sub = obj.modifiers.new("sub", "SUBSURF")
        sub.subdivision_type, sub.levels, sub.render_levels = "SIMPLE", cuts, cuts
    bake(obj)
    obj.data.shade_smooth()
    if rough:
        displace(obj, lambda p: noise(p, scale, 3, seed) * rough)
    if mat:
        obj.data.materials.append(mat)
    return obj


def bake(obj):
    """Apply all modifiers of an object."""
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    data = bpy.data.meshes.new_from_object(obj.evaluated_get(graph))
    obj.modifiers.clear()
    obj.data = data
    return obj


def tube(path, radius, mat=None, cyclic=False, taper=None, resolution=4):
    """A round tube along a list of points (a bezier-free poly spline with bevel)."""
    data = bpy.data.curves.new("tube", "CURVE")
    data.dimensions, data.bevel_depth, data.bevel_resolution = "3D", radius, resolution
    data.use_fill_caps = True
    spline = data.splines.new("POLY")
    spline.points.add(len(path) - 1)
    for i, (pt, p) in enumerate(zip(spline.points, path, strict=True)):
        pt.co = (*p, 1)
        pt.radius = taper[i] if taper is not None else 1
    spline.use_cyclic_u, spline.use_smooth = cyclic, True
    obj = bpy.data.objects.new("tube", data)
    bpy.context.scene.collection.objects.link(obj)
    if mat:
        data.materials.append(mat)
    return obj


def solid(obj, thickness, sub=0, offset=0.0):
    """Give a sheet a thickness (and smooth it by `sub` subdivisions)."""
    mod = obj.modifiers.new("solid", "SOLIDIFY")
    mod.thickness, mod.offset = thickness, offset
    if sub:
        ss = obj.modifiers.new("sub", "SUBSURF")
        ss.levels = ss.render_levels = sub
    return obj


def put(obj, loc=(0, 0, 0), rot=(0, 0, 0), scale=1.0):
    """Place an object: location, rotation in degrees, scale (number or triple)."""
    obj.location = loc
    obj.rotation_euler = [math.radians(a) for a in rot]
    obj.scale = (scale,) * 3 if isinstance(scale, (int, float)) else scale
    return obj


def copy(obj, loc=(0, 0, 0), rot=(0, 0, 0), scale=1.0):
    """A linked duplicate of an object, placed like `put`."""
    dup = obj.copy()
    bpy.context.scene.collection.objects.link(dup)
    return put(dup, loc, rot, scale)


def drop(x, y, top=60, on=None):
    """Shoot a ray down at (x, y); return (point, normal, object) of what it meets, or None.

    `on` limits the search to one unmoved mesh object.
    """
    if on:
        ok, loc, normal, _ = on.ray_cast(Vector((x, y, top)), Vector((0, 0, -1)))
        return (loc, normal, on) if ok else None
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    ok, loc, normal, _, obj, _ = bpy.context.scene.ray_cast(graph, Vector((x, y, top)), Vector((0, 0, -1)))
    return (loc, normal, obj) if ok else None


def lay(obj, hit, spin=0.0, tilt=0.0, lift=0.0, scale=1.0):
    """Lay an object with its z axis along the surface normal of a `drop` hit."""
    loc, normal, _ = hit
    turn = normal.to_track_quat("Z", "Y").to_matrix().to_4x4()
    own = Matrix.Rotation(math.radians(spin), 4, "Z") @ Matrix.Rotation(math.radians(tilt), 4, "X")
    obj.matrix_world = Matrix.Translation(loc + normal * lift) @ turn @ own @ Matrix.Scale(scale, 4)
    return obj


def lay_copy(obj, hit, **how):
    """A linked duplicate laid on a surface, see `lay`."""
    dup = obj.copy()
    bpy.context.scene.collection.objects.link(dup)
    return lay(dup, hit, **how)


def hide(obj):
    """Take a template object out of the picture (its copies stay)."""
    obj.hide_render = True
    obj.location.z -= 500
    return obj


def group(objs, loc=(0, 0, 0), rot=(0, 0, 0), scale=1.0):
    """Parent objects to an empty and place that."""
    empty = bpy.data.objects.new("group", None)
    bpy.context.scene.collection.objects.link(empty)
    for obj in objs:
        obj.parent = empty
    put(empty, loc, rot, scale)
    bpy.context.view_layer.update()
    return empty


# ---------------------------------------------------------------- materials
class Tree:
    """Thin wrapper round a node tree: t('Type', {input: value or socket}, prop=value)."""

    def __init__(self, tree):
        self.tree = tree
        tree.nodes.clear()

    def __call__(self, kind, inputs=None, out=0, **props):
        """Add a node and return its output socket `out` (None: the node itself)."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for key, value in props.items():
            setattr(node, key, value)
        for key, value in (inputs or {}).items():
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, node.inputs[key])
            else:
                if isinstance(value, (tuple, str)) and node.inputs[key].type == "RGBA":
                    value = (*rgb(value), 1)
                node.inputs[key].default_value = value
        return node if out is None else node.outputs[out]

    def ramp(self, fac, stops):
        """Colour ramp over `fac` with [(position, colour), ...]."""
        node = self("ValToRGB", {"Fac": fac}, out=None)
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (pos, colour) in zip(elements, stops, strict=False):
            element.position, element.color = pos, (*rgb(colour), 1)
        return node.outputs[0]

    def mix(self, a, b, fac, blend_type="MIX"):
        """Mix two colours."""
        return self("MixRGB", {"Fac": fac, "Color1": a, "Color2": b}, blend_type=blend_type)

    def noise(self, scale, detail=4, vector=None, roughness=0.55, distortion=0.0):
        """Noise value in object space (keep `detail` low: finer octaves are below a pixel and cost time)."""
        inputs = {
            "Scale": scale,
            "Detail": detail,
            "Roughness": roughness,
            "Distortion": distortion,
            "Vector": vector or self("TexCoord", out=3),
        }
        return self("TexNoise", inputs)

    def mapping(self, scale=(1, 1, 1), rot=(0, 0, 0)):
        """Scaled and turned object coordinates."""
        return self(
            "Mapping",
            {"Vector": self("TexCoord", out=3), "Scale": scale, "Rotation": [math.radians(a) for a in rot]},
        )


def new_material(name):
    """Empty node material: returns (material, tree, finish(shader, volume))."""
    mat = bpy.data.materials.new(name)
    mat.use_nodes = True
    t = Tree(mat.node_tree)

    def finish(shader=None, volume=None):
        inputs = {k: s for k, s in (("Surface", shader), ("Volume", volume)) if s}
        t("OutputMaterial", inputs, out=None)
        return mat

    return mat, t, finish


def stuff(
    base,
    rough=0.5,
    grain=3.0,
    bump=0.0,
    bump_grain=6.0,
    sss=0.0,
    depth=0.3,
    coat=0.0,
    metal=0.0,
    sheen=0.0,
    spec=0.5,
    through=0.0,
    ior=1.45,
    speck=None,
    lift=0.0,
):
    """General material. `base`: colour, list of ramp stops over noise of scale `grain`, or 'paint'.

    `bump` is the relief height in cm over noise `bump_grain`; `sss`/`depth` subsurface weight and depth;
    `coat` a glossy film; `speck` = (colour, scale, amount) dark dots; `lift` a faint glow of
    its own colour, for things deep inside glass where caustics would bring the light.
    """
    _, t, finish = new_material("stuff")
    if base == "paint":
        colour = t("VertexColor", layer_name="paint")
    elif isinstance(base, list):
        colour = t.ramp(t.noise(grain, 3), base)
    else:
        colour = t("RGB")
        colour.default_value = (*rgb(base), 1)
    if speck:
        mask = t.ramp(t.noise(speck[1], 2), [(speck[2], "#ffffff"), (speck[2] + 0.06, "#000000")])
        colour = t.mix(colour, speck[0], mask)
    inputs = {
        "Base Color": colour,
        "Roughness": rough,
        "Metallic": metal,
        "Specular IOR Level": spec,
        "IOR": ior,
        "Subsurface Weight": sss,
        "Subsurface Scale": depth,
        "Subsurface Radius": (1.0, 0.55, 0.35),
        "Coat Weight": coat,
        "Coat Roughness": 0.06,
        "Sheen Weight": sheen,
        "Transmission Weight": through,
        "Emission Color": colour,
        "Emission Strength": lift,
    }
    if bump:
        inputs["Normal"] = t("Bump", {"Strength": 1.0, "Distance": bump, "Height": t.noise(bump_grain, 2)})
    return finish(t("BsdfPrincipled", inputs))


def glass(tint="#ffffff", ior=1.5, rough=0.0, absorb=None, density=0.0, bump=0.0, bump_grain=2.0):
    """Clear material whose shadow is transparent; `absorb`/`density` (per cm) colour the inside."""
    _, t, finish = new_material("glass")
    inputs = {"Color": tint, "IOR": ior, "Roughness": rough}
    if bump:
        inputs["Normal"] = t("Bump", {"Strength": 1.0, "Distance": bump, "Height": t.noise(bump_grain, 3)})
    clear = t("BsdfTransparent", {"Color": tint})
    shadow = t("LightPath", out=1)
    shader = t("MixShader", {0: shadow, 1: t("BsdfGlass", inputs), 2: clear})
    volume = t("VolumeAbsorption", {"Color": absorb, "Density": density}) if absorb else None
    return finish(shader, volume)


def glow(colour, strength):
    """Emission."""
    _, t, finish = new_material("glow")
    return finish(t("Emission", {"Color": colour, "Strength": strength}))


def wood(dark="#4a2c17", mid="#8a5a32", light="#b98a58", plank=11.0, turn=0.0, rough=0.45, grain=1.0):
    """Planks with stretched grain and fine relief."""
    _, t, finish = new_material("wood")
    plane = t.mapping(rot=(0, 0, turn))
    brick = t(
        "TexBrick",
        {
            "Vector": plane,
            "Color1": (0.62, 0.62, 0.62),
            "Color2": (1, 1, 1),
            "Mortar": (0.1, 0.1, 0.1),
            "Scale": 1.0,
            "Mortar Size": 0.05,
            "Mortar Smooth": 0.3,
            "Bias": 0.0,
            "Brick Width": 130.0,
            "Row Height": plank,
        },
        out=None,
        offset=0.37,
    )
    shift = t("VectorMath", {0: plane, 1: brick.outputs[0]}, operation="MULTIPLY_ADD")
    t.tree.links.new(
        t("VectorMath", {0: brick.outputs[0], 1: (40.0, 40.0, 40.0)}, operation="MULTIPLY"),
        shift.node.inputs[2],
    )
    shift.node.inputs[1].default_value = (1, 1, 1)
    along = t("Mapping", {"Vector": shift, "Scale": (0.05 * grain, 0.9 * grain, 0.5 * grain)})
    rings = t.noise(1.0, 4, along, 0.62, 1.2)
    fine = t.noise(5.0, 2, along, 0.7)
    tone = t.ramp(rings, [(0.33, dark), (0.5, mid), (0.68, light)])
    tone = t.mix(tone, t.ramp(fine, [(0.35, "#6f6259"), (0.6, "#ffffff")]), 0.55, "MULTIPLY")
    tone = t.mix(tone, brick.outputs[0], 0.8, "MULTIPLY")
    height = t.mix(fine, brick.outputs[0], 0.35)
    normal = t("Bump", {"Strength": 0.5, "Distance": 0.06, "Height": height})
    return finish(t("BsdfPrincipled", {"Base Color": tone, "Roughness": rough, "Normal": normal}))


def stone(dark="#2b2d30", light="#4a4d52", rough=0.55, scale=0.25, vein=None):
    """Slate, concrete or (with a `vein` colour) marble."""
    _, t, finish = new_material("stone")
    tone = t.ramp(t.noise(scale, 6, distortion=0.4), [(0.3, dark), (0.7, light)])
    tone = t.mix(tone, t.ramp(t.noise(9.0, 1), [(0.3, "#b9b9b9"), (0.6, "#ffffff")]), 0.5, "MULTIPLY")
    if vein:
        field = t.noise(scale * 0.5, 5, distortion=1.5)
        line = t("Math", {0: field, 1: 0.5}, operation="SUBTRACT")
        line = t("Math", {0: line}, operation="ABSOLUTE")
        tone = t.mix(tone, vein, t.ramp(line, [(0.0, (0.75,) * 3), (0.035, (0, 0, 0))]))
    normal = t("Bump", {"Strength": 0.6, "Distance": 0.08, "Height": t.noise(1.6, 4, roughness=0.65)})
    return finish(t("BsdfPrincipled", {"Base Color": tone, "Roughness": rough, "Normal": normal}))


def linen(colour="#c9bda6", dark=None, stripes=None):
    """Woven cloth; `stripes` is a colour for wide stripes along x."""
    _, t, finish = new_material("linen")
    weave = None
    for direction in ("X", "Y"):
        band = t(
            "TexWave",
            {"Vector": t.mapping(), "Scale": 2.6, "Distortion": 1.6, "Detail": 2.0, "Detail Scale": 0.6},
            out=1,
            bands_direction=direction,
        )
        weave = band if weave is None else t.mix(weave, band, 0.5)
    tone = t.ramp(t.noise(2.5, 3), [(0.25, dark or colour), (0.6, colour)])
    tone = t.mix(tone, t.ramp(weave, [(0.2, (0.55, 0.55, 0.55)), (0.6, (1, 1, 1))]), 0.7, "MULTIPLY")
    if stripes:
        wide = t("TexWave", {"Vector": t.mapping(), "Scale": 0.09, "Distortion": 0.0}, bands_direction="X")
        tone = t.mix(tone, stripes, t.ramp(wide, [(0.86, (0, 0, 0)), (0.88, (1, 1, 1))]))
    normal = t("Bump", {"Strength": 0.7, "Distance": 0.05, "Height": weave})
    return finish(t("BsdfPrincipled", {"Base Color": tone, "Roughness": 0.9, "Normal": normal, "Sheen Weight": 0.3}))


def ceramic(colour="#f1eee8", rough=0.18, speck=None):
    """Glazed tableware."""
    return stuff(colour, rough, coat=0.5, speck=speck, bump=0.004, bump_grain=1.5)


def steel(colour="#d8d6d2", rough=0.18):
    """Polished metal."""
    return stuff(colour, rough, metal=1.0)


# ---------------------------------------------------------------- studio
def reset(width, height, samples):
    """Start an empty Cycles scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.film_transparent = False
    c = scene.cycles
    c.device, c.samples, c.use_adaptive_sampling, c.adaptive_threshold = "CPU", samples, True, 0.04
    c.use_denoising, c.denoiser, c.denoising_input_passes = True, "OPENIMAGEDENOISE", "RGB_ALBEDO_NORMAL"
    c.max_bounces, c.diffuse_bounces, c.glossy_bounces = 10, 2, 4
    c.transmission_bounces, c.transparent_max_bounces, c.volume_bounces = 10, 16, 0
    c.caustics_reflective = c.caustics_refractive = False
    c.sample_clamp_indirect, c.blur_glossy = 4.0, 0.5
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    return scene


def area(loc, size, radiance, target=(0, 0, 3), colour="#ffffff", camera=False):
    """Rectangular soft light aimed at `target`; radiance is independent of its size."""
    data = bpy.data.lights.new("area", "AREA")
    data.shape, data.size, data.size_y = "RECTANGLE", *size
    data.energy, data.color = radiance * size[0] * size[1] * math.pi, rgb(colour)
    obj = bpy.data.objects.new("area", data)
    bpy.context.scene.collection.objects.link(obj)
    obj.location = loc
    obj.rotation_euler = (Vector(target) - Vector(loc)).to_track_quat("-Z", "Y").to_euler()
    obj.visible_camera = camera
    return obj


def studio(key=13.0, side=-1, fill=2.0, sky="#8f9aa8", ambient=0.35, warm="#fff1df", low=False, exposure=0.0):
    """Window light from behind at one side (-1 left, 1 right), bounce card opposite, faint sky."""
    bpy.context.scene.view_settings.exposure = exposure
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    t = Tree(world.node_tree)
    t("OutputWorld", {"Surface": t("Background", {"Color": sky, "Strength": ambient})}, out=None)
    area((side * 95, 70, 60 if low else 95), (90, 110), key, colour=warm)
    area((-side * 90, -50, 50), (90, 90), fill, colour="#fff8f0")
    area((0, -20, 150), (110, 110), fill * 0.9, colour="#eef3ff")


def table(mat):
    """The table top at z = 0."""
    half = 220
    return mesh("table", [(-half, -120, 0), (half, -120, 0), (half, 90, 0), (-half, 90, 0)], [(0, 1, 2, 3)], mat)


def backdrop(
    dark="#1d1a18", light="#4b4038", y=89, bokeh=0, seed=3, lamp="#ffb561", power=14.0, scale=0.012, shine=0.0
):
    """A wall behind the table, blotchy, with optional out-of-focus lamps; `shine` makes it glow."""
    _, t, finish = new_material("wall")
    tone = t.ramp(t.noise(scale, 3), [(0.35, dark), (0.65, light)])
    shader = {"Base Color": tone, "Roughness": 0.8, "Emission Color": tone, "Emission Strength": shine}
    wall = finish(t("BsdfPrincipled", shader))
    mesh("wall", [(-300, y, -60), (300, y, -60), (300, y, 260), (-300, y, 260)], [(0, 1, 2, 3)], wall)
    rng = np.random.default_rng(seed)
    for _ in range(bokeh):
        bulb = ball(rng.uniform(0.35, 0.9), glow(lamp, power * rng.uniform(0.4, 1.3)), seg=16)
        put(bulb, (rng.uniform(-55, 55), y - 4 - rng.uniform(0, 15), rng.uniform(4, 50)))


def camera(target, distance, elevation, azimuth=0.0, lens=75.0, fstop=4.0, focus=None):
    """Look at `target` from `distance` cm; azimuth 0 is from the front; thin-lens blur."""
    data = bpy.data.cameras.new("camera")
    obj = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(obj)
    e, a = math.radians(elevation), math.radians(azimuth)
    target = Vector(target)
    obj.location = target + Vector((math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e))) * distance
    obj.rotation_euler = (target - obj.location).to_track_quat("-Z", "Y").to_euler()
    data.lens, data.clip_start, data.clip_end = lens, 1, 2000
    data.dof.use_dof, data.dof.aperture_fstop = True, fstop / 100
    spot = Vector(focus) if focus else target
    forward = (target - obj.location).normalized()
    data.dof.focus_distance = (spot - obj.location).dot(forward)
    bpy.context.scene.camera = obj


def shoot(path, limit_kb=200, grain=1.6):
    """Render, add a breath of film grain and vignette, save as an sRGB JPEG below `limit_kb`."""
    from PIL import Image, ImageCms

    scene = bpy.context.scene
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = os.path.join(folder, "out.png")
        scene.render.image_settings.file_format = "PNG"
        bpy.ops.render.render(write_still=True)
        picture = np.asarray(Image.open(scene.render.filepath).convert("RGB")).astype(float)
    h, w, _ = picture.shape
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    rng = np.random.default_rng(1)
    picture *= (1 - 0.10 * smooth(0.5, 1.9, x * x + y * y))[..., None]
    picture += rng.normal(0, grain, (h, w, 1)) + rng.normal(0, grain * 0.35, (h, w, 3))
    image = Image.fromarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for quality in range(93, 60, -2):
        image.save(path, quality=quality, optimize=True, progressive=True, icc_profile=profile)
        if os.path.getsize(path) <= limit_kb * 1024:
            break
