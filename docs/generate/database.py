"""docs/database.md: the public tables and views, from the store's catalogue."""

from pathlib import Path

from bpsvc.service import canned
from bpsvc.service.dictionary import table
from bpsvc.store import PUBLIC

_INTRODUCTION = Path(__file__).with_name("database.md").read_text(encoding="utf-8")


def page() -> str:
    lines = [_INTRODUCTION, "## Queries with names", "", "`bpsvc query NAME` asks one of these:", ""]
    lines += ["| name | what it answers | parameters |", "|---|---|---|"]
    for one in canned.QUERIES.values():
        parameters = ", ".join(
            f"`{name}` ({'none' if value is None else value})" for name, value in one.parameters.items()
        )
        lines.append(f"| `{one.name}` | {one.doc} | {parameters} |")
    for relation in PUBLIC.values():
        lines += ["", f"## {relation.name}", "", relation.meaning, "", *table(relation)]
        lines += ["", "```sql", relation.example, "```"]
    return "\n".join(lines) + "\n"
