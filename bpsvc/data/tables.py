"""Classic tables that scikit-learn packages: an optional extra, imported when one is asked for."""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bpsvc.data.dataset import Dataset
from bpsvc.data.source import Source
from bpsvc.errors import DataError


def load(name: str, **options: Any) -> Any:
    """scikit-learn's bunch `load_<name>()`; DataError that says what to install when scikit-learn is
    missing.
    """
    try:
        datasets = importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise DataError(
            f"the data source {name!r} needs scikit-learn, which is not installed",
            remedy="pip install 'bpsvc[tables]'",
        ) from error
    return getattr(datasets, f"load_{name}")(**options)


def classified(name: str) -> Dataset:
    """A table whose target is a class."""
    bunch = load(name)
    return Dataset(
        np.asarray(bunch.data, dtype=np.float64),
        np.asarray(bunch.target, dtype=np.float64)[:, None],
        tuple(str(feature) for feature in bunch.feature_names),
        ("class",),
        tuple(str(label) for label in bunch.target_names),
    )


def diabetes() -> Dataset:
    """A table whose target is a number; raw values, since scikit-learn's scaling divides by roots."""
    bunch = load("diabetes", scaled=False)
    x, y = np.asarray(bunch.data, dtype=np.float64), np.asarray(bunch.target, dtype=np.float64)[:, None]
    return Dataset(x, y, tuple(bunch.feature_names), ("progression",))


def _table(name: str, doc: str, build: Callable[[], Dataset] | None = None) -> Source:
    return Source(name, f"{doc} (needs scikit-learn)", build or partial(classified, name))


TABLES = (
    _table("iris", "150 flowers of 3 species, 4 measurements (Fisher 1936)"),
    _table(
        "digits",
        "1,797 handwritten digits as 8 × 8 counts from 0 to 16, 10 classes (Alpaydin and Kaynak 1998)",
    ),
    _table("wine", "178 wines of 3 cultivars, 13 measurements (Forina et al. 1988)"),
    _table(
        "breast_cancer",
        "569 tumours, malignant or benign, 30 measurements (Wolberg, Street, Mangasarian 1995)",
    ),
    _table(
        "diabetes", "442 patients, 10 measurements, progression after a year (Efron et al. 2004)", diabetes
    ),
)
