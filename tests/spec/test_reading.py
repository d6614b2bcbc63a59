"""The strict reader: positions, refusals, limits; whatever the bytes, it answers with a document or a
SpecError.
"""

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpsvc.errors import SpecError
from bpsvc.spec.located import Document
from bpsvc.spec.reading import MAX_BYTES, read

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def error_of(what: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        read(what)
    return caught.value


REFUSED = [
    ("", "a spec is a JSON object; see `bpsvc schema`", 1, 1),
    (" \n ", "the spec is empty", 2, 2),
    ("null", "a spec is a JSON object; see `bpsvc schema`", 1, 1),
    ("[]", "a spec is a JSON object", 1, 1),
    ("42", "a spec is a JSON object", 1, 1),
    ('"xor"', "a spec is a JSON object", 1, 1),
    ('{"a": 1', "the text ends inside the object that began at 1:1", 1, 8),
    ('{"a":\n [1, 2', "the text ends inside the array that began at 2:2", 2, 7),
    ('{"a":', "the text ends where a value should stand", 1, 6),
    ('{"a": 1,}', "the comma before '}' is one too many", 1, 8),
    ('{"a": [1,\n2,\n]}', "the comma before ']' is one too many", 2, 2),
    ('{"a": 1}{"b": 2}', "the spec has ended here, but the text goes on", 1, 9),
    ('{"a": 1} x', "the text goes on", 1, 10),
    ('{"a": 1,\n "a": 2}', "'a' appears twice", 2, 2),
    ('{"x": {"b": 1, "b": 1}}', "x.b: 'b' appears twice", 1, 16),
    ('{"a": NaN}', "NaN is not a number in JSON", 1, 7),
    ('{"a": Infinity}', "Infinity is not a number in JSON", 1, 7),
    ('{"a": -Infinity}', "-Infinity is not a number in JSON", 1, 7),
    ('{"a": 1e999}', "1e999 is too large a number", 1, 7),
    ('{"a": 123456789012345678901234}', "is too large a number", 1, 7),
    ('{"a": .5}', ".5 is not a number as JSON writes it", 1, 7),
    ('{"a": 01}', "01 is not a number as JSON writes it", 1, 7),
    ('{"a": +1}', "+1 is not a number as JSON writes it", 1, 7),
    ('{"a": 1.}', "1. is not a number as JSON writes it", 1, 7),
    ('{"a": 1e}', "1e is not a number as JSON writes it", 1, 7),
    ('{"a": 0x10}', "0x10 is not a number as JSON writes it", 1, 7),
    ('{"a": 1_000}', "1_000 is not a number as JSON writes it", 1, 7),
    ('{"a": ١}', "١ is not JSON", 1, 7),
    ('{"a": True}', "JSON writes true, false and null", 1, 7),
    ('{"a": None}', "JSON writes true, false and null", 1, 7),
    ('{"a": relu}', 'text is quoted: "relu"', 1, 7),
    ("{'a': 1}", "text and names stand in double quotes", 1, 2),
    ("{a: 1}", "a name in double quotes is expected", 1, 2),
    ("{\"a\": 'x'}", "text and names stand in double quotes", 1, 7),
    ('{"a" 1}', "':' after 'a' is expected", 1, 6),
    ('{"a": [1 2]}', "',' or ']' is expected", 1, 10),
    ('{"a": 1 "b": 2}', "',' or '}' is expected", 1, 9),
    ('{"a": 1} // why', "the text goes on", 1, 10),
    ('{"a": 1 // why\n}', "JSON has no comments", 1, 9),
    ('{"a": /* why */ 1}', "JSON has no comments", 1, 7),
    ('{"a": "x\ny"}', "this text does not end on its line", 1, 7),
    ('{"a": "x', "this text never ends", 1, 7),
    ('{"a": "\\x"}', "this escape is not JSON", 1, 8),
    ('{"a": "\\ud800"}', "half of a surrogate pair", 1, 7),
    ('{"a": ]}', "']' cannot stand here: a value is expected", 1, 7),
    ("[" * 100_000, "nested more than 32 deep", 1, 33),
    ('{"a":' * 100_000, "nested more than 32 deep", 1, 161),
]


@pytest.mark.parametrize(("text", "message", "line", "column"), REFUSED)
def test_refused_where_it_stands(text: str, message: str, line: int, column: int) -> None:
    error = error_of(text)
    assert message in str(error)
    assert (error.findings[-1].line, error.findings[-1].column) == (line, column)
    assert f"spec:{line}:{column}: " in str(error)


def test_the_line_and_a_caret_are_shown() -> None:
    assert str(error_of('{\n  "a": 1,\n  "a": 2\n}')) == (
        "spec:3:3: a: 'a' appears twice\n      \"a\": 2\n      ^\n    keep one of them"
    )


def test_all_that_can_be_told_is_told_at_once() -> None:
    error = error_of('{"a": 1, "a": 2, "b": NaN, "c": 1e999, "d": [}')
    assert [finding.what.split()[-1] for finding in error.findings[:2]] == ["twice", "it"]
    assert len(error.findings) == 4


def test_a_million_complaints_stay_short() -> None:
    error = error_of('{"a": [' + "NaN," * 250_000 + "1]}")
    assert len(error.findings) == 50


def test_depth_32_is_deep_enough_and_33_is_not() -> None:
    nested: Any = 1
    for _ in range(31):
        nested = [nested]
    assert read(json.dumps({"a": nested})).raw == {"a": nested}
    assert "nested more than 32 deep" in str(error_of(json.dumps({"a": [nested]})))


def test_not_utf8_is_told_with_its_place() -> None:
    error = error_of(b'{"a": 1,\n "b": "\xff"}')
    assert "this is not UTF-8 text" in str(error)
    assert (error.findings[0].line, error.findings[0].column) == (2, 8)


def test_a_byte_order_mark_and_windows_lines_are_no_harm() -> None:
    document = read(b'\xef\xbb\xbf{\r\n  "a": 1\r\n}')
    assert document.raw == {"a": 1}
    assert document.locate(("a",)) == (2, 8)


def test_more_than_a_mebibyte_is_refused_and_pointed_to_files() -> None:
    text = json.dumps({"description": "x" * MAX_BYTES})
    assert "larger than 1 MiB" in str(error_of(text))
    assert '"csv"' in str(error_of(text))


def test_a_full_mebibyte_is_read_in_reasonable_time() -> None:
    text = json.dumps({"x": [[0, 1]] * 130_000}, separators=(",", ":"))[:MAX_BYTES]
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 100


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "larger than 1 MiB" in str(error_of(path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.json"
    os.mkfifo(fifo)
    assert "not a regular file" in str(error_of(fifo))
    assert "not a regular file" in str(error_of(Path("/dev/zero")))
    assert "this is a folder" in str(error_of(tmp_path))


def test_a_missing_file_is_told_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "xor.json").write_text("{}")
    assert f"did you mean '{tmp_path / 'xor.json'}'?" in str(error_of(tmp_path / "xro.json"))
    assert "there is no such file" in str(error_of(tmp_path / "none" / "xor.json"))
    assert "cannot be read" in str(error_of(Path("a\0b")))


def test_positions_of_values_and_keys() -> None:
    document = read('{\n  "a": {"b": [10,\n 20]}\n}')
    assert document.locate(("a", "b", 1)) == (3, 2)
    assert document.locate(("a", "b"), key=True) == (2, 9)
    assert document.locate(("a", "missing", "below")) == (2, 8)
    assert document.locate(("nowhere",)) == (1, 1)


@given(JSON)
def test_reads_what_the_standard_reader_reads(value: Any) -> None:
    text = json.dumps({"a": value})
    assert read(text).raw == json.loads(text)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:.0123eE+-\\tfnu/ \n', max_size=60).map(str.encode))
def test_any_bytes_are_a_document_or_a_spec_error(content: bytes) -> None:
    try:
        document = read(content)
    except SpecError as error:
        assert error.findings and str(error)
    else:
        assert isinstance(document, Document)
        assert document.raw == json.loads(content)


@given(JSON, st.integers(0, 10**6), st.text(alphabet='{}[]",: \\0a', max_size=3))
def test_damaged_json_is_answered_within_the_text(value: Any, where: int, damage: str) -> None:
    text = json.dumps({"a": value}, indent=1)
    at = where % len(text)
    text = text[:at] + damage + text[at + 1 :]
    try:
        read(text)
    except SpecError as error:
        for finding in error.findings:
            assert finding.line is not None and 1 <= finding.line <= text.count("\n") + 1
            assert finding.column is not None and finding.column >= 1
