"""Reading the data that a spec names, once for each distinct origin."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bpsvc import data
from bpsvc.data import SOURCES, Dataset
from bpsvc.errors import DataError
from bpsvc.spec.data_section import CsvData, DataSection, InlineData, NpzData, Preparation
from bpsvc.spec.identity import canonical_json


class Library:
    """The data sets of one resolve, by origin. Paths are relative to `base` and stay below it unless
    `anywhere`. What is `known` is not read again.
    """

    def __init__(
        self, base: Path, *, anywhere: bool = False, known: Mapping[str, Dataset] | None = None
    ) -> None:
        self._base, self._anywhere = base, anywhere
        self._read: dict[str, Dataset | DataError] = dict(known or {})
        self._files: set[str] = set()
        self._examples: dict[tuple[Any, ...], int | DataError] = {}

    def dataset(self, section: DataSection) -> Dataset:
        """The data of `section`. Raises DataError, the same one again for the same origin."""
        origin = canonical_json(section.origin)
        if isinstance(section, CsvData | NpzData):
            self._files.add(origin)
        if origin not in self._read:
            try:
                self._read[origin] = self._load(section)
            except DataError as error:
                self._read[origin] = error
        found = self._read[origin]
        if isinstance(found, DataError):
            raise found
        return found

    @property
    def files(self) -> dict[str, Dataset]:
        """What was read from files, by origin: a Library that knows it needs no files."""
        found = {origin: self._read[origin] for origin in self._files}
        return {origin: dataset for origin, dataset in found.items() if isinstance(dataset, Dataset)}

    def training_examples(self, section: DataSection, dataset: Dataset, output: str) -> int:
        """How many examples train. Raises DataError when the split or the scaling is impossible."""
        if section.split is None and section.scale is None:
            return dataset.examples
        key = (dataset.digest, section.preparation.model_dump_json(), output)
        if key not in self._examples:
            try:
                prepared = data.prepare(
                    dataset, output=output, split=split_of(section.preparation, 0), scale=section.scale
                )
                self._examples[key] = len(prepared.x)
            except DataError as error:
                self._examples[key] = error
        found = self._examples[key]
        if isinstance(found, DataError):
            raise found
        return found

    def _load(self, section: DataSection) -> Dataset:
        if isinstance(section, CsvData):
            target = section.target[0] if len(section.target) == 1 else section.target
            path = self._inside(section.path)
            return data.read_csv(
                path,
                target=target,
                features=section.features,
                delimiter=section.delimiter,
                target_kind=section.target_kind,
            )
        if isinstance(section, NpzData):
            return data.read_npz(self._inside(section.path), x=section.x, y=section.y)
        if isinstance(section, InlineData):
            return data.from_arrays([list(row) for row in section.x], [list(row) for row in section.y])
        return SOURCES[section.name].make(section.unprepared.knobs)

    def _inside(self, name: str) -> Path:
        path = self._base / name
        if self._anywhere:
            return path
        try:
            real = path.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(f"{name}: cannot be read ({error})") from None
        if not real.is_relative_to(self._base.resolve()):
            raise DataError(
                f"{name!r} lies outside the spec's folder",
                remedy="copy the file beside the spec, or add the flag --allow-path",
            )
        return path


def split_of(preparation: Preparation, seed: int) -> data.Split | None:
    """The split as the room `data` takes it, for a run's `seed`."""
    split = preparation.split
    if split is None:
        return None
    return data.Split(split.validation, split.stratify, seed if split.seed == "run" else split.seed)


def label_of(section: DataSection) -> str:
    """What the data are called in tables: the file's name, or the generator with its knobs."""
    if isinstance(section, CsvData | NpzData):
        return Path(section.path).name
    return "inline" if isinstance(section, InlineData) else section.unprepared.text()
