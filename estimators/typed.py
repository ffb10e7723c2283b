"""Tables of a file (TOML, JSON) as dataclasses, every field checked against its annotation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from estimators.skeletons import SKELETONS, Skeleton


def record(kind: type, values: Mapping[str, Any]) -> Any:
    """An instance of a dataclass from a table.

    Raises:
        ValueError, TypeError: a field is missing, unknown or of another kind.
    """
    hints = get_type_hints(kind)
    needed = {f.name for f in fields(kind) if f.default is f.default_factory is MISSING}
    missing, unknown = sorted(needed - values.keys()), sorted(values.keys() - hints.keys())
    if missing or unknown:
        raise ValueError(f"missing fields {missing}, unknown fields {unknown}")
    made = {}
    for name, value in values.items():
        try:
            made[name] = value_of(hints[name], value)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
    return kind(**made)


def value_of(hint: Any, value: Any) -> Any:
    """`value`, as TOML or JSON gives it, as the kind that `hint` says.

    Raises:
        ValueError, TypeError: it is of another kind.
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin is UnionType:
        if value is None and NoneType in args:
            return None
        return value_of(next(kind for kind in args if kind is not NoneType), value)
    if origin is Literal and value in args:
        return value
    if origin is tuple and isinstance(value, list):
        if args[-1] is not ... and len(args) != len(value):
            raise TypeError(f"expected {len(args)} values, got {value}")
        return tuple(value_of(args[0], each) for each in value)
    if isinstance(value, dict):
        if origin is not None and issubclass(origin, Mapping):
            return MappingProxyType(value)
        return record(hint, value)
    if hint is Skeleton and value in SKELETONS:
        return SKELETONS[value]
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise TypeError(f"{value!r} is none of {hint}")
    return value
