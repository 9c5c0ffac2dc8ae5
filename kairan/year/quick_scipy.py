"""Starts scipy.special in half the time: a command that answers within two seconds has none to spare for its helpers.

scipy.special copies all of numpy's names to itself (`array_api_compat.clone_module`), which makes numpy load what it
else loads at first use: its compiler for Fortran, its tests, masked arrays. Nothing here or in scipy.special uses
them, and numpy still loads them for whoever asks.
"""

import importlib
from typing import Any

import numpy


def import_scipy_special() -> None:
    """Imports scipy.special while numpy names only what is loaded. Where scipy is loaded already, it does nothing."""
    names = vars(numpy)
    kept: dict[str, Any] = {name: names[name] for name in ("__all__", "__dir__") if name in names}
    loaded = list(names)
    names.update(__all__=[name for name in kept.get("__all__", ()) if name in names], __dir__=lambda: loaded)
    try:
        importlib.import_module("scipy.special")
    finally:
        del names["__all__"], names["__dir__"]
        names.update(kept)
