"""Loops over feature maps that torch runs slowly: normalisation, sum and rectifier in one pass.

Maps are flat, channels last: element ``i`` belongs to channel ``i % channels``. They come as
addresses, since what a tensor takes to become an array is longer than a loop over a small map.
Everything is computed in float32, in one thread. The loops run over a *period* of elements, a
multiple of the number of channels that fills whole vectors, so that six channels are as fast as
sixty-four.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from gensynth.training.elements import (
    LANES,
    Map,
    Vector,
    alike,
    compiled,
    halves,
    read,
    singles,
    summed,
    together,
    written,
)

_SHORTEST = 128


@lru_cache(maxsize=1024)
def period(channels: int) -> int:
    """Elements that a loop takes at a time, a multiple of ``channels``."""
    if channels >= _SHORTEST:
        return channels
    shortest = math.lcm(channels, LANES)
    return shortest * math.ceil(_SHORTEST / shortest)


@compiled
def normalise(
    half: bool,
    size: int,
    channels: int,
    period: int,
    x: int,
    residual: int,
    out: int,
    weight: int,
    bias: int,
    running_mean: int,
    running_variance: int,
    saved: int,
    factor: float,
    epsilon: float,
    slope: float,
) -> None:
    """Batch normalisation in training, with what follows it.

    Args:
        half: Whether maps are bfloat16.
        size: Elements of a map.
        channels: Channels.
        period: See :func:`period`.
        x: Address of what is normalised.
        residual: Address of what is added to it afterwards; 0 for nothing.
        out: Address of the result.
        weight: Address of the scale.
        bias: Address of the shift.
        running_mean: Address of what moves toward the mean, by ``factor``.
        running_variance: Address of what moves toward the unbiased variance.
        saved: Address of (2, channels), which gets mean and reciprocal deviation.
        factor: From 0 to 1.
        epsilon: Added to the variance.
        slope: What negative results are multiplied by; 1 for no rectifier.
    """
    affine = singles(weight, channels), singles(bias, channels)
    moved = singles(running_mean, channels), singles(running_variance, channels)
    kept = singles(saved, 2 * channels).reshape(2, channels)
    added = size if residual else 0
    if half:
        of_half = halves(x, size), halves(residual or x, added), halves(out, size)
        _normalise(of_half, affine, moved, kept, factor, epsilon, slope, period)
    else:
        of_single = singles(x, size), singles(residual or x, added), singles(out, size)
        _normalise(of_single, affine, moved, kept, factor, epsilon, slope, period)


@compiled
def normalise_backward(
    half: bool,
    size: int,
    channels: int,
    period: int,
    gradient: int,
    x: int,
    out: int,
    weight: int,
    saved: int,
    slope: float,
    result: int,
    passed: int,
    sums: int,
) -> None:
    """The gradients of :func:`normalise`.

    Args:
        half: Whether maps are bfloat16.
        size: Elements of a map.
        channels: Channels.
        period: See :func:`period`.
        gradient: Address of the gradient of what came out.
        x: Address of what was normalised.
        out: Address of what came out; read only if there is a rectifier.
        weight: Address of the scale.
        saved: Address of what :func:`normalise` saved.
        slope: What negative results were multiplied by; 1 for no rectifier.
        result: Address of the gradient of ``x``, to be written.
        passed: Address of the gradient of what was added, to be written; 0 if nobody needs it.
        sums: Address of (2, channels), which gets the gradients of weight and bias.
    """
    scale = singles(weight, channels)
    kept = singles(saved, 2 * channels).reshape(2, channels)
    found = singles(sums, 2 * channels).reshape(2, channels)
    count = size if passed else 0
    if half:
        half_given = halves(gradient, size), halves(x, size), halves(out, size)
        half_taken = halves(result, size), halves(passed or x, count)
        _normalise_backward(half_given, half_taken, scale, kept, found, slope, period)
    else:
        given = singles(gradient, size), singles(x, size), singles(out, size)
        taken = singles(result, size), singles(passed or x, count)
        _normalise_backward(given, taken, scale, kept, found, slope, period)


@compiled
def combine(half: bool, size: int, sources: Any, seen: int, slope: float, out: int) -> None:
    """The sum of maps, times a slope where a rectifier is or was below zero.

    Args:
        half: Whether maps are bfloat16; the sum is float32 and rounded once.
        size: Elements of a map.
        sources: Addresses of what is added, a tuple; the loops are compiled for each length.
        seen: Address of what came out of the rectifier, to go back over it; 0 goes by the sum.
        slope: What is multiplied where that is not above zero; 1 for no rectifier.
        out: Address of the result.
    """
    if half:
        _combine(sources, seen, slope, halves(out, size))
    else:
        _combine(sources, seen, slope, singles(out, size))


@compiled
def _combine(sources: Any, seen: int, slope: float, out: Map) -> None:
    kind, below = out[0], np.float32(slope)
    maps = together(sources, out.size, kind)
    if seen:
        _back_over_rectifier(maps, alike(seen, out.size, kind), below, out)
    elif slope == 1:
        _add(maps, out)
    else:
        _rectify(maps, below, out)


@compiled
def _add(maps: Any, out: Map) -> None:
    for j in range(out.size):
        out[j] = written(summed(maps, j), out[0])


@compiled
def _rectify(maps: Any, below: Any, out: Map) -> None:
    for j in range(out.size):
        value = summed(maps, j)
        lower = below * value if below else np.float32(0)
        out[j] = written(lower if value < 0 else value, out[0])


@compiled
def _back_over_rectifier(maps: Any, seen: Map, below: Any, out: Map) -> None:
    for j in range(out.size):
        value = summed(maps, j)
        lower = below * value if below else np.float32(0)
        out[j] = written(value if read(seen[j]) > 0 else lower, out[0])


@compiled
def _normalise(
    maps: tuple[Map, Map, Map],
    affine: tuple[Vector, Vector],
    running: tuple[Vector, Vector],
    saved: Vector,
    factor: float,
    epsilon: float,
    slope: float,
    period: int,
) -> None:
    x, residual, out = maps
    weight, bias = affine
    running_mean, running_variance = running
    channels = weight.size
    _moments(x, saved, period)
    rows = x.size // channels
    scale, shift = np.empty(period, np.float32), np.empty(period, np.float32)
    for c in range(channels):
        mean, variance = saved[0, c], saved[1, c]
        unbiased = variance * np.float32(rows / max(rows - 1, 1))
        running_mean[c] += np.float32(factor) * (mean - running_mean[c])
        running_variance[c] += np.float32(factor) * (unbiased - running_variance[c])
        saved[1, c] = np.float32(1 / math.sqrt(np.float64(variance) + epsilon))
        scale[c] = weight[c] * saved[1, c]
        shift[c] = bias[c] - mean * scale[c]
    _repeat(scale, channels)
    _repeat(shift, channels)
    kind = x[0]
    below = np.float32(slope)
    for start in range(0, x.size, period):
        stop = min(start + period, x.size)
        given, result = x[start:stop], out[start:stop]
        if residual.size:
            added = residual[start:stop]
            for j in range(given.size):
                value = scale[j] * read(given[j]) + shift[j] + read(added[j])
                result[j] = written(value if value > 0 else below * value, kind)
        else:
            for j in range(given.size):
                value = scale[j] * read(given[j]) + shift[j]
                result[j] = written(value if value > 0 else below * value, kind)


@compiled
def _normalise_backward(
    given: tuple[Map, Map, Map],
    taken: tuple[Map, Map],
    weight: Vector,
    saved: Vector,
    sums: Vector,
    slope: float,
    period: int,
) -> None:
    gradient, x, out = given
    result, passed = taken
    channels = weight.size
    rows = x.size // channels
    _gradient_sums(gradient, x, out, saved, slope, passed, sums, period)
    of_gradient, of_x = np.empty(period, np.float32), np.empty(period, np.float32)
    constant = np.empty(period, np.float32)
    for c in range(channels):
        mean, reciprocal = saved[0, c], saved[1, c]
        sums[0, c] *= reciprocal
        of_gradient[c] = weight[c] * reciprocal
        of_x[c] = -of_gradient[c] * reciprocal * sums[0, c] / rows
        constant[c] = -of_gradient[c] * sums[1, c] / rows - of_x[c] * mean
    _repeat(of_gradient, channels)
    _repeat(of_x, channels)
    _repeat(constant, channels)
    kind, one, below = x[0], np.float32(1), np.float32(slope)
    for start in range(0, x.size, period):
        stop = min(start + period, x.size)
        values, target = x[start:stop], result[start:stop]
        if slope != 1 and not passed.size:
            incoming, seen = gradient[start:stop], out[start:stop]
            for j in range(values.size):
                value = read(incoming[j]) * (one if read(seen[j]) > 0 else below)
                value = of_gradient[j] * value + of_x[j] * read(values[j]) + constant[j]
                target[j] = written(value, kind)
        else:
            kept = passed[start:stop] if passed.size else gradient[start:stop]
            for j in range(values.size):
                value = of_gradient[j] * read(kept[j])
                target[j] = written(value + of_x[j] * read(values[j]) + constant[j], kind)


@compiled
def _moments(x: Map, found: Vector, period: int) -> None:
    """Mean and variance, (2, channels), in one pass over distances from each channel's first."""
    channels = found.shape[1]
    origin = np.empty(period, np.float32)
    for c in range(channels):
        origin[c] = read(x[c])
    _repeat(origin, channels)
    first, second = np.zeros(period, np.float32), np.zeros(period, np.float32)
    whole = x.size // (4 * period) * (4 * period)
    for start in range(0, whole, 4 * period):
        rows = x[start : start + 4 * period].reshape(4, period)
        for j in range(period):
            p, q = read(rows[0, j]) - origin[j], read(rows[1, j]) - origin[j]
            r, s = read(rows[2, j]) - origin[j], read(rows[3, j]) - origin[j]
            first[j] += (p + q) + (r + s)
            second[j] += (p * p + q * q) + (r * r + s * s)
    for start in range(whole, x.size, period):
        rest = x[start : min(start + period, x.size)]
        for j in range(rest.size):
            p = read(rest[j]) - origin[j]
            first[j] += p
            second[j] += p * p
    count = x.size // channels
    for c in range(channels):
        distance, square = _total(first, c, channels) / count, _total(second, c, channels) / count
        found[0, c] = np.float32(origin[c] + distance)
        found[1, c] = np.float32(max(square - distance * distance, 0.0))


@compiled
def _gradient_sums(
    gradient: Map,
    x: Map,
    out: Map,
    saved: Vector,
    slope: float,
    passed: Map,
    sums: Vector,
    period: int,
) -> None:
    """Sums over a channel of the gradient times what is above the mean, and of the gradient."""
    channels = saved.shape[1]
    mean = np.empty(period, np.float32)
    mean[:channels] = saved[0]
    _repeat(mean, channels)
    products, total = np.zeros(period, np.float32), np.zeros(period, np.float32)
    one, below = np.float32(1), np.float32(slope)
    for start in range(0, x.size, period):
        stop = min(start + period, x.size)
        given, values = gradient[start:stop], x[start:stop]
        if slope != 1:
            seen = out[start:stop]
            for j in range(given.size):
                value = read(given[j]) * (one if read(seen[j]) > 0 else below)
                total[j] += value
                products[j] += value * (read(values[j]) - mean[j])
            if passed.size:
                kept = passed[start:stop]
                for j in range(given.size):
                    value = read(given[j]) * (one if read(seen[j]) > 0 else below)
                    kept[j] = written(value, x[0])
        else:
            for j in range(given.size):
                value = read(given[j])
                total[j] += value
                products[j] += value * (read(values[j]) - mean[j])
    for c in range(channels):
        sums[0, c] = np.float32(_total(products, c, channels))
        sums[1, c] = np.float32(_total(total, c, channels))


@compiled
def _total(values: Vector, channel: int, channels: int) -> float:
    total = 0.0
    for j in range(channel, values.size, channels):
        total += np.float64(values[j])
    return total


@compiled
def _repeat(values: Vector, channels: int) -> None:
    """Fills up with copies of the first elements."""
    for start in range(channels, values.size, channels):
        values[start : start + channels] = values[:channels]
