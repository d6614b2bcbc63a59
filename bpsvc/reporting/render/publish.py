"""Publishing a report: all of its files at once, in the place of an older one."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bpsvc.folders import replacing

Content = bytes | Iterator[bytes]


def publish(
    files: Iterable[tuple[str, Content]], folder: Path, about: Mapping[str, object] | None = None
) -> Path:
    """Write the files into a new folder beside `folder`, then put it in its place (see `folders`); the
    manifest says what they are `about`.

    Raises:
        UsageError: `folder` holds something other than a report, or something that stands in the way of one.
    """
    with replacing(folder, "report", about) as fresh:
        for name, content in files:
            target = fresh / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
    return folder.resolve()
