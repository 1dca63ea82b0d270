"""Elements of tensors as compiled loops see them: float32, or the bits of a bfloat16.

Numba keeps what it compiled of a file until that file changes, whatever it took from others: a
change here reaches users only together with one of ``kernels.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""float32."""

Map = Vector | NDArray[np.uint16]
"""float32, or bfloat16 as uint16: the upper half of the bits of a float32."""

LANES = 16
"""Numbers in a vector of the widest processors."""

_F = TypeVar("_F", bound=Callable[..., Any])
_array: Callable[..., Any] = vars(numba)["carray"]
_implements = cast(Callable[[Any], Callable[[_F], _F]], overload)
_intrinsic = cast(Callable[[Callable[..., Any]], Callable[[Any], Any]], intrinsic)

compiled = cast(Callable[[_F], _F], numba.njit(cache=True, nogil=True, error_model="numpy"))
"""Compiles a function at its first call, and keeps the result on disk."""


@compiled
def singles(address: int, size: int) -> Any:
    """The float32 numbers at an address."""
    return _array(_pointer(address), size, np.float32)


@compiled
def halves(address: int, size: int) -> Any:
    """The bfloat16 numbers at an address."""
    return _array(_pointer(address), size, np.uint16)


def alike(address: int, size: int, kind: Any) -> Any:
    """The numbers at an address, of the kind of an element."""


@_implements(alike)
def _alike(address: int, size: int, kind: Any) -> Any:
    def of_single(address: int, size: int, kind: Any) -> Any:
        return singles(address, size)

    def of_half(address: int, size: int, kind: Any) -> Any:
        return halves(address, size)

    return of_half if kind == types.uint16 else of_single


def together(addresses: Any, size: int, kind: Any) -> Any:
    """The numbers at each of several addresses, a tuple, as :func:`alike` for one."""


@_implements(together)
def _together(addresses: Any, size: int, kind: Any) -> Any:
    def one(addresses: Any, size: int, kind: Any) -> Any:
        return (alike(addresses[0], size, kind),)

    def more(addresses: Any, size: int, kind: Any) -> Any:
        return (*together(addresses[:-1], size, kind), alike(addresses[-1], size, kind))

    return one if len(addresses) == 1 else more


@_intrinsic
def _pointer(context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


@_intrinsic
def _as_float(context: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.uint32), generate


@_intrinsic
def _as_bits(context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.uint32(types.float32), generate


def read(value: Any) -> Any:
    """An element as float32."""


@_implements(read)
def _read(value: Any) -> Any:
    def exact(value: Any) -> Any:
        return value

    def extended(value: Any) -> Any:
        return _as_float(np.uint32(value) << np.uint32(16))

    return extended if value == types.uint16 else exact


def summed(maps: Any, j: int) -> Any:
    """The sum of the elements at ``j`` of a tuple of maps, one after the other, as float32."""


@_implements(summed)
def _summed(maps: Any, j: int) -> Any:
    def one(maps: Any, j: int) -> Any:
        return read(maps[0][j])

    def more(maps: Any, j: int) -> Any:
        return summed(maps[:-1], j) + read(maps[-1][j])

    return one if len(maps) == 1 else more


def written(value: Any, kind: Any) -> Any:
    """A float32 as an element of the kind given, rounded to nearest, ties to even."""


@_implements(written)
def _written(value: Any, kind: Any) -> Any:
    def exact(value: Any, kind: Any) -> Any:
        return value

    def rounded(value: Any, kind: Any) -> Any:
        bits = _as_bits(value)
        odd = (bits >> np.uint32(16)) & np.uint32(1)
        upper = np.uint16((bits + np.uint32(0x7FFF) + odd) >> np.uint32(16))
        return upper if value == value else np.uint16(0x7FC0)

    return rounded if kind == types.uint16 else exact
