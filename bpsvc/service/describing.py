"""Read what users write: spec files, settings, more seeds. Nothing is stored, and no store is needed."""

import contextlib
import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from bpsvc import spec
from bpsvc.errors import DataError, NotFoundError, SpecError, UsageError, dotted
from bpsvc.store.place import locate

_STDIN_BYTES: Final = 2**21  # more than a spec may have
_LONGEST_SETTING: Final = 2**16
_SETTABLE: Final = 3  # so many differences are told one by one
_NOT_OF_RUNS: Final = frozenset({"$schema", "name", "description", "seeds"})


def read(
    paths: Sequence[Path],
    *,
    overrides: Mapping[str, Any] | None = None,
    limits: spec.Limits | None = None,
    allow_path: bool = False,
    seeds: Callable[[spec.Experiment], Sequence[int]] | None = None,
) -> list[spec.Experiment]:
    """The experiments that spec files describe; `-` is standard input, a folder all specs in it. Nothing is
    stored. `seeds` may give each experiment other seeds than its spec has.

    Raises:
        SpecError: a spec is not valid; all that is wrong with it is told at once.
        DataError: the data of a spec cannot be read.
        UsageError: both `seeds` and `overrides` are to say which seeds.
    """
    if seeds is not None and any(path.split(".")[0] == "seeds" for path in overrides or {}):
        raise UsageError(
            "--more-seeds follows the seeds that are there, so that --set seeds has no effect",
            remedy="leave one of them out",
        )
    experiments: list[spec.Experiment] = []
    refused: list[SpecError | DataError] = []
    for path in _files(paths):
        try:
            piped = str(path) == "-"
            text = sys.stdin.buffer.read(_STDIN_BYTES) if piped else path
            document = spec.read(text, source="<stdin>") if piped else spec.read(text)
            base, name = (Path(), "stdin") if piped else (path.parent, path.stem)
            resolve = partial(
                spec.resolve, document, base=base, name=name, allow_path=allow_path, limits=limits
            )
            experiment = resolve(overrides=overrides)
            if seeds is not None:
                experiment = resolve(overrides={**(overrides or {}), "seeds": list(seeds(experiment))})
            experiments.append(experiment)
        except (SpecError, DataError) as error:
            refused.append(error)
    if refused:
        refused[0].others += tuple(refused[1:])
        raise refused[0]
    return experiments


def findings(paths: Sequence[Path], *, allow_path: bool = False) -> list[dict[str, Any]]:
    """What is wrong with specs, as JSON: file, line, column, field, what, allowed, remedy. Empty when all is
    well.
    """
    found: list[dict[str, Any]] = []
    for path in _files(paths):
        try:
            read([path], allow_path=allow_path)
        except SpecError as error:
            found += [
                {"file": str(path), **vars(finding), "path": dotted(finding.path)}
                for finding in error.findings
            ]
        except DataError as error:
            found.append({"file": str(path), "what": str(error)})
    return found


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob("*.json")) if _is_folder(path) else [path]
        if not found:
            raise UsageError(f"there is no spec (*.json) in the folder {path}")
        files += found
    return files


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # the name is too long …: reading it says so
        return False


def more_seeds(db: str | Path, count: int, most: int) -> Callable[[spec.Experiment], Sequence[int]]:
    """For `read`: the seeds of the stored experiment of that name (or else of the spec), and `count` next
    ones.

    Raises:
        UsageError: `count` alone is more than `most` runs; or the spec is not the stored one's.
    """
    if count > most:
        raise UsageError(
            f"{count:,} more seeds are more runs than a submit may have",
            allowed=f"at most {most:,}",
            remedy="--max-runs raises the limit",
        )

    def seeds(experiment: spec.Experiment) -> Sequence[int]:
        known = {run.seed for run in experiment.runs}
        if locate(db).exists():
            from bpsvc.store import Store

            with Store(db) as store, contextlib.suppress(NotFoundError):
                stored = store.experiment(experiment.name).experiment
                runs = store.runs(stored)
                (text,) = store.experiments(stored)["spec"]
                _check_same(experiment, stored, json.loads(text), set(runs["data_digest"]))
                known = set(runs["seed"].tolist())
        first = max(known) + 1
        return sorted(known) + list(range(first, first + count))

    return seeds


def _check_same(experiment: spec.Experiment, stored: str, there: Any, data: set[str]) -> None:
    """UsageError unless a spec means the same as the stored experiment's, but for its seeds."""
    mine, theirs = (_leaves(document) for document in (json.loads(json.dumps(experiment.spec)), there))
    names = [name for name in (mine | theirs) if mine.get(name) != theirs.get(name)]
    differing = [
        f"{name} is {mine.get(name, 'not there')}, not {theirs.get(name, 'there')}" for name in names
    ]
    if not names and not data <= set(experiment.datasets):
        differing = ["the data are others"]
    if not differing:
        return
    alike = " ".join(f"--set {shlex.quote(f'{name}={theirs[name]}')}" for name in names if name in theirs)
    settable = 0 < len(names) <= _SETTABLE and all(name in theirs for name in names)
    raise UsageError(
        f"--more-seeds adds to {stored} as it is, and here {'; '.join(differing[:_SETTABLE])}"
        + (f"; and {len(differing) - _SETTABLE} more" if len(differing) > _SETTABLE else ""),
        remedy=(f"{alike} makes it the same; " if settable else "")
        + "without --more-seeds it is submitted as an experiment of its own",
    )


def _leaves(document: Mapping[str, Any], above: tuple[str, ...] = ()) -> dict[str, str]:
    """What a spec says of its runs but their seeds: each value as JSON, by its path."""
    leaves: dict[str, str] = {}
    for name, value in document.items():
        if not above and name in _NOT_OF_RUNS:
            continue
        if isinstance(value, Mapping) and value:
            leaves |= _leaves(value, (*above, name))
        else:
            leaves[dotted((*above, name))] = json.dumps(value)
    return leaves


def overrides(settings: Sequence[str]) -> dict[str, Any]:
    """`["training.epochs=200", "network.activation=relu"]` as values by path.

    Raises:
        UsageError: a setting has no `=`, or sets nothing.
    """
    return assignments(settings, "a setting is a path and a value", "training.epochs=200")


def assignments(texts: Sequence[str], rule: str, example: str) -> dict[str, Any]:
    """Each `name=value` by name; a value is JSON, or else text. UsageError with the rule and an example."""
    values: dict[str, Any] = {}
    for one in texts:
        name, equals, text = one.partition("=")
        if not equals or not name:
            raise UsageError(rule, value=one[:80], allowed=example)
        if len(text) > _LONGEST_SETTING:
            raise UsageError(f"the value of {name[:80]} is longer than 64 KiB", remedy="write it into a file")
        try:
            values[name] = json.loads(text)
        except RecursionError:
            raise UsageError(f"the value of {name[:80]} is nested too deep", value=text[:20] + "…") from None
        except ValueError:
            values[name] = text
    return values
