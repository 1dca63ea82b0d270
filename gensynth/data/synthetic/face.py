"""Drawing a face: from traits, picture and action units to gray values."""

from __future__ import annotations

import numpy as np

from gensynth.data.synthetic.canvas import (
    Array,
    Canvas,
    blob,
    clamp,
    ellipse,
    f32,
    smooth,
    stroke,
)
from gensynth.data.synthetic.pose import Columns, to_features, to_head
from gensynth.data.synthetic.shape import (
    brows,
    eyes,
    head_half_width,
    head_height,
    mouth,
    sided,
)


def switch(trait: Array, threshold: float) -> Array:
    """1 where a trait lies beyond the threshold, else 0."""
    return (trait > f32(threshold)).astype(np.float32)


def draw(face: Columns, x: Array, y: Array, *, pixel: float) -> Array:
    """Draw N faces.

    Args:
        face: Traits, picture and action units, each of shape ``(N, 1, 1)``.
        x: Picture coordinates of the pixels in face units, shape ``(1, H, W)``.
        y: The same downwards.
        pixel: Side of a pixel in face units.

    Returns:
        Gray values from 0 to 1, shape ``(N, H, W)``, ``float32``, before blur and noise.
    """
    head_x, head_y = to_head(face, x, y)
    tone = np.empty(head_x.shape, dtype=np.float32)
    tone[:] = face["backdrop"] * (f32(1) + f32(0.12) * y)
    _head(Canvas(tone, pixel), face, head_x, head_y)
    near = (slice(None), _near(y[0, :, 0]), _near(x[0, 0]))
    canvas = Canvas(tone[near], pixel)
    feature_x, feature_y = to_features(face, head_x[near], head_y[near])
    for part in (_skin_relief, _nose, _eyes, _brows, _mouth):
        part(canvas, face, feature_x, feature_y)
    _hair(canvas, face, head_x[near], head_y[near])
    _glasses(canvas, face, feature_x, feature_y)
    return _expose(tone, face, head_x, head_y)


def _near(positions: Array) -> slice:
    """Rows or columns in which features can lie: the rest of a large picture needs no detail."""
    reached = np.flatnonzero(np.abs(positions) < f32(1.4))
    return slice(int(reached[0]), int(reached[-1]) + 1) if len(reached) else slice(0, 0)


def _head(canvas: Canvas, face: Columns, x: Array, y: Array) -> None:
    skin, hair = face["skin"], face["hair"]
    y = y - face["head_y"]
    volume = face["hair_volume"]
    long_hair = switch(face["hair_length"], 0.2)
    back = ellipse(x, y + f32(0.1), face["head_width"] + volume, face["head_height"] + volume)
    hanging = np.maximum(np.abs(x) - face["head_width"] - volume, -y)
    behind = np.where(y > 0, hanging + (f32(1) - long_hair) * f32(9), back)
    canvas.paint(canvas.inside(behind), hair)
    neck = np.maximum(np.abs(x) - f32(0.6) * face["head_width"], f32(0.6) - y)
    canvas.paint(canvas.inside(neck), skin * f32(0.72))
    shirt = f32(1.2) + f32(0.15) * x * x - y
    canvas.paint(canvas.inside(shirt), face["backdrop"] * f32(0.5))
    ears = ellipse(
        np.abs(x) - face["head_width"], y + f32(0.1), f32(0.08) + volume * 0, f32(0.2) + volume * 0
    )
    canvas.paint(canvas.inside(ears) * (f32(1) - long_hair), skin * f32(0.85))
    outline = ellipse(x, y, head_half_width(face, y), head_height(face, y))
    canvas.paint(canvas.inside(outline), skin)
    rim = clamp(f32(1) + outline / f32(0.3)) * canvas.inside(outline)
    canvas.shade(rim * rim * f32(0.28))


def _skin_relief(canvas: Canvas, face: Columns, x: Array, y: Array) -> None:
    side: Array = np.abs(x)
    eye_y, eye_x = face["eye_y"], face["eye_x"]
    frown, inner_up, outer_up = face["AU4"], face["AU1"], face["AU2"]
    canvas.shade(f32(0.2) * blob(side - eye_x + f32(0.08), y - eye_y + f32(0.05), 0.3, 0.2))
    canvas.shade(-face["cheek"] * blob(side - f32(0.42), y - f32(0.12), 0.3, 0.28))
    canvas.shade(face["eye_bags"] * blob(side - eye_x, y - eye_y - f32(0.15), 0.2, 0.09))
    beard = switch(face["beard"], 1.1) * f32(0.3)
    lower = smooth((y - f32(0.3)) * f32(4)) * smooth(side * f32(2) + y - f32(0.35))
    canvas.shade(beard * lower)
    spots = blob(side - f32(0.35), y - f32(0.1), 0.3, 0.2) * face["freckles"] * f32(0.06)
    canvas.shade(spots)
    for offset in (0.0, 0.11):
        line = stroke(canvas, x / f32(0.42), y + f32(0.66 - offset) - f32(0.05) * x * x, 0.012)
        canvas.shade(line * clamp(inner_up * f32(0.3) + outer_up * f32(0.3)))
    furrow = stroke(canvas, (y - eye_y + f32(0.2)) / f32(0.13), side - f32(0.055), 0.014)
    canvas.shade(furrow * f32(0.55) * frown)
    bridge = blob(x, y - eye_y + f32(0.12), 0.16, 0.16)
    canvas.shade(bridge * clamp(f32(0.22) * frown + f32(0.35) * face["AU9"]))
    for offset in (0.0, 0.08, 0.16):
        wrinkle = stroke(canvas, x / f32(0.12), y - eye_y - f32(offset) + f32(0.3) * side, 0.013)
        canvas.shade(wrinkle * f32(0.65) * face["AU9"])
    foot = stroke(canvas, (side - f32(0.6)) / f32(0.09), y - eye_y - (side - f32(0.6)), 0.012)
    canvas.shade(foot * f32(0.5) * face["AU6"])
    apple = blob(side - f32(0.4), y - eye_y - f32(0.34), 0.26, 0.15)
    canvas.shade(apple * f32(-0.22) * face["AU6"])
    pouch = stroke(canvas, (side - eye_x) / f32(0.2), y - eye_y - f32(0.15), 0.016)
    canvas.shade(pouch * f32(0.45) * clamp(face["AU6"] + f32(0.6) * face["AU7"]))
    _folds(canvas, face, x, y)
    chin = face["AU17"] * blob(x, y - f32(0.8), 0.2, 0.13)
    canvas.shade(f32(-0.12) * chin)
    groove = stroke(canvas, x / f32(0.18), y - f32(0.69) + f32(0.5) * x * x, 0.016)
    canvas.shade(groove * (f32(0.1) + f32(0.3) * face["AU17"]))


def _folds(canvas: Canvas, face: Columns, x: Array, y: Array) -> None:
    """Folds from the wings of the nose to the corners of the mouth, and the dimples."""
    side: Array = np.abs(x)
    smile = sided(x, face["AU12L"], face["AU12R"])
    dimple = sided(x, face["AU14L"], face["AU14R"])
    depth = face["folds"] + f32(0.35) * smile + f32(0.45) * face["AU10"] + f32(0.4) * face["AU9"]
    top: Array = f32(0.14) - f32(0.05) * face["AU9"]
    along: Array = (y - top - f32(0.18)) / f32(0.2)
    bow: Array = f32(0.3) + f32(0.14) * along + f32(0.05) * smile
    canvas.shade(stroke(canvas, along, side - bow, 0.022) * clamp(depth))
    corner: Array = face["mouth_width"] * f32(1.12) + f32(0.05) + f32(0.06) * smile
    pit_y: Array = y - face["mouth_y"] + f32(0.04) * dimple
    pit = stroke(canvas, pit_y / f32(0.14), side - corner, 0.03)
    canvas.shade(pit * clamp(f32(0.75) * dimple))
    droop = stroke(canvas, (y - face["mouth_y"] - f32(0.17)) / f32(0.1), side - f32(0.33), 0.016)
    canvas.shade(droop * f32(0.5) * face["AU15"])


def _nose(canvas: Canvas, face: Columns, x: Array, y: Array) -> None:
    wrinkle = face["AU9"]
    side: Array = np.abs(x)
    width = face["nose_width"] * (f32(1) + f32(0.2) * wrinkle + f32(0.08) * face["AU12L"])
    tip: Array = face["eye_y"] + face["nose_length"] - f32(0.05) * wrinkle
    dark = face["nose_dark"]
    length = (y - face["eye_y"]) / face["nose_length"]
    flank = stroke(canvas, f32(2) * length - f32(1), side - width * f32(0.5), 0.03)
    lit = sided(x, f32(0.7) + face["light_x"] * 2, f32(0.7) - face["light_x"] * 2)
    canvas.shade(flank * dark * f32(0.7) * lit)
    canvas.shade(f32(-0.16) * blob(x, y - tip + f32(0.08), 0.08, 0.14))
    canvas.shade(dark * blob(x, y - tip - f32(0.05), width * f32(1.3), 0.06))
    wing = stroke(canvas, (y - tip + f32(0.04)) / f32(0.08), side - width, 0.018)
    canvas.shade(wing * (dark + f32(0.2) * wrinkle))
    nostril = ellipse(side - width * f32(0.5), y - tip, width * f32(0.3), width * f32(0.17))
    canvas.paint(canvas.inside(nostril) * f32(0.75), face["skin"] * f32(0.25))


def _eyes(canvas: Canvas, face: Columns, x: Array, y: Array) -> None:
    opening = eyes(face)
    side: Array = np.abs(x)
    u = (side - face["eye_x"]) / face["eye_width"]
    arch = clamp(f32(1) - u * u)
    line = face["eye_y"] + face["eye_tilt"] * u
    upper = line - opening.upper * arch
    lower = line + opening.lower * arch
    ball = np.maximum(upper - y, y - lower)
    inside = canvas.inside(ball) * (arch > 0)
    white = f32(0.3) + f32(0.6) * face["skin"]
    canvas.paint(inside, white)
    look = np.where(x < 0, -face["gaze_x"], face["gaze_x"]) * f32(0.06)
    iris_x = side - face["eye_x"] - look
    iris_y = y - face["eye_y"] + f32(0.015) - face["gaze_y"] * f32(0.03)
    iris = canvas.inside(ellipse(iris_x, iris_y, face["iris"], face["iris"] * f32(1.1)))
    canvas.paint(inside * iris, face["iris_tone"])
    glint = canvas.inside(ellipse(iris_x + f32(0.02), iris_y + f32(0.03), *_spot(face, 0.02)))
    canvas.paint(inside * glint * f32(0.8), 0.95)
    lid = face["skin"] * f32(0.3)
    canvas.paint(stroke(canvas, u, y - upper, 0.02) * f32(0.85), lid)
    canvas.paint(stroke(canvas, u, y - lower, 0.01) * f32(0.45), lid)
    crease = line - face["eye_upper"] * f32(1.5) * arch - f32(0.02)
    fold = stroke(canvas, u, y - crease, 0.01) * (f32(0.35) - f32(0.15) * face["AU5"])
    canvas.shade(clamp(fold))


def _spot(face: Columns, radius: float) -> tuple[Array, Array]:
    round_radius = np.full_like(face["scale"], f32(radius))
    return round_radius, round_radius


def _brows(canvas: Canvas, face: Columns, x: Array, y: Array) -> None:
    shape = brows(face)
    u = (np.abs(x) - shape.center_x) / shape.half_width
    thick = face["brow_thick"] * (f32(1) - f32(0.25) * u)
    coverage = stroke(canvas, u, y - shape.height(np.clip(u, f32(-1), f32(1))), thick)
    tone = np.minimum(face["hair"] * f32(0.7) + f32(0.05), face["skin"] * f32(0.7))
    canvas.paint(coverage * clamp(face["brow_dark"]), tone)


def _mouth(canvas: Canvas, face: Columns, x: Array, y: Array) -> None:
    shape = mouth(face)
    u = shape.u(x)
    within = (np.abs(u) < 1).astype(np.float32)
    lip = face["skin"] * (f32(1) - face["lip_dark"])
    inner_upper, inner_lower = shape.inner_upper(u), shape.inner_lower(u)
    upper = np.maximum(shape.outer_upper(u) - y, y - inner_upper)
    lower = np.maximum(inner_lower - y, y - shape.outer_lower(u))
    canvas.paint(canvas.inside(upper) * within, lip * f32(0.88))
    canvas.paint(canvas.inside(lower) * within, lip)
    gap = np.maximum(inner_upper - y, y - inner_lower)
    hole = canvas.inside(gap) * within * clamp((inner_lower - inner_upper) / f32(canvas.pixel))
    canvas.paint(hole, 0.06)
    bare = clamp(
        f32(0.6) * (face["AU12L"] + face["AU12R"])
        + f32(1.5) * face["AU20"]
        + f32(1.2) * face["AU10"]
        - f32(0.3)
    )
    upper_teeth = y - inner_upper - f32(0.085)
    lower_teeth = inner_lower - f32(0.1) * face["AU20"] - y
    teeth = canvas.inside(np.minimum(upper_teeth, lower_teeth)) * hole
    canvas.paint(teeth * bare * f32(0.95), f32(0.5) + f32(0.5) * face["skin"])
    seam = stroke(canvas, u, y - (inner_upper + inner_lower) * f32(0.5), 0.012)
    closed = clamp(f32(1) - (shape.drop_lower + shape.raise_upper) / f32(0.06))
    canvas.shade(seam * closed * (f32(0.5) + f32(0.15) * face["AU24"]))
    under = blob(x, y - shape.outer_lower(u * 0) - f32(0.05), 0.2, 0.06)
    canvas.shade(under * f32(0.16))


def _hair(canvas: Canvas, face: Columns, x: Array, y: Array) -> None:
    y = y - face["head_y"]
    offset = x - face["hair_part"]
    fringe = switch(face["fringe"], 0.9) * f32(0.22)
    curve = np.clip(face["hair_curve"], f32(-0.1), f32(1.2))
    line = face["hairline"] + fringe + curve * offset * offset
    beside = np.maximum(np.abs(x) - f32(0.45), f32(0)) * f32(3)
    line = np.minimum(line, face["eye_y"] - face["head_y"] - f32(0.22) + beside)
    outline = ellipse(x, y, head_half_width(face, y), head_height(face, y)) - f32(0.02)
    region = np.maximum(y - line, outline)
    canvas.paint(canvas.inside(region, 2.0) * (y < 0.1), face["hair"])


def _glasses(canvas: Canvas, face: Columns, x: Array, y: Array) -> None:
    worn = switch(face["glasses"], 1.35)
    side = np.abs(x) - face["eye_x"]
    rim = np.abs(ellipse(side, y - face["eye_y"] - f32(0.02), *_lens(face))) - f32(0.014)
    canvas.paint(canvas.inside(rim) * worn * f32(0.8), 0.12)
    bridge = np.maximum(np.abs(x) - f32(0.12), np.abs(y - face["eye_y"]) - f32(0.014))
    canvas.paint(canvas.inside(bridge) * worn * f32(0.8), 0.12)


def _lens(face: Columns) -> tuple[Array, Array]:
    return np.full_like(face["scale"], f32(0.24)), np.full_like(face["scale"], f32(0.17))


def _expose(tone: Array, face: Columns, x: Array, y: Array) -> Array:
    edge = f32(1.2)
    light = f32(1) + face["light_x"] * np.clip(x, -edge, edge)
    light = light + face["light_y"] * np.clip(y, -edge, edge)
    shown = tone * np.clip(light, f32(0.3), f32(1.8)) * face["exposure"]
    middle = f32(0.45)
    return clamp(middle + (shown - middle) * face["contrast"])
