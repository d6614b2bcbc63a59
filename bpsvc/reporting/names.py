"""What a name may become in a file system."""

import hashlib
import re
from typing import Final

LONGEST_SLUG: Final = 80


def slug(name: str) -> str:
    """A folder name for an experiment: letters, digits, `.`, `_`, `-`.

    If anything had to be replaced, six hex digits of the name's sha256 keep different names apart. A slug
    never starts with a dot or a dash, so it is neither hidden, nor a parent folder, nor an option.
    """
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".-")[:LONGEST_SLUG]
    if kept == name and kept:
        return kept
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{kept.rstrip('.-') or 'report'}-{digest}"
