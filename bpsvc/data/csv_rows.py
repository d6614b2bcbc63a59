"""Rows of a CSV file in blocks, streaming, with the place of every cell at hand for messages.

Rows go through the standard library's csv reader, strict. The text of a block's lines is kept beside its
rows, so finding the line and column of a bad cell costs nothing until there is one.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, NamedTuple

from bpsvc.data.csv_place import start_of
from bpsvc.errors import DataError

RECORD_CHARACTERS: Final = 4 * 2**20
FAULTS: Final = 10
"""So many wrong cells are told at once."""
_BLOCK_CELLS: Final = 2**17


@dataclass(frozen=True)
class Block:
    """Rows with the physical lines they were read from: row r stands in `lines[ends[r] : ends[r + 1]]`."""

    rows: list[list[str]]
    lines: list[str]
    ends: list[int]
    first_line: int

    def place(self, row: int, cell: int, delimiter: str) -> tuple[int, int]:
        """Line and column, from 1, at which a cell begins (or would begin, where the row has fewer cells)."""
        lines = self.lines[self.ends[row] : self.ends[row + 1]]
        left = start_of("".join(lines), cell, delimiter)
        line = self.first_line + self.ends[row]
        for text in lines[:-1]:
            if left < len(text):
                break
            line, left = line + 1, left - len(text)
        return line, left + 1


class Fault(NamedTuple):
    """What is wrong with a cell of a block."""

    row: int
    cell: int
    what: str
    remedy: str


class CsvRows:
    """The header and the blocks of rows of one CSV file, every row as wide as the header.

    `name` is the file's in messages. Raises DataError `name:line:column: …` for whatever is no CSV in
    UTF-8: an empty file, ragged rows, empty lines between rows, quotes that never close, records of more
    than 4 Mi characters.
    """

    def __init__(self, file: BinaryIO, name: str, delimiter: str) -> None:
        _check_delimiter(delimiter)
        _refuse_utf16(file, name)
        self.name, self.delimiter = name, delimiter
        self._file = file
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._lines: list[str] = []
        self._record_size, self._record_line = 0, 1
        self._reader = csv.reader(
            self._feed(), delimiter=delimiter, strict=True, skipinitialspace=delimiter != " "
        )
        self._blank_line: int | None = None
        self._failure: DataError | None = None
        header = self._read(1, None)
        if header is None:
            raise DataError(
                f"{name}:1:1: the file is empty", remedy="a CSV file begins with a line of column names"
            )
        self._header = header
        self.header = [cell.strip() for cell in header.rows[0]]

    def blocks(self) -> Iterator[Block]:
        """All rows below the header, about a hundred thousand cells at a time. Good rows come before the
        error of a later one, so that the first thing wrong is the first told.
        """
        while (block := self._read(max(1, _BLOCK_CELLS // len(self.header)), len(self.header))) is not None:
            yield block

    def error(
        self, what: str, *, cell: int, row: int = 0, block: Block | None = None, remedy: str = ""
    ) -> DataError:
        """An error at a cell of `block`, or of the header: `file:line:column: what; remedy`."""
        line, column = (block or self._header).place(row, cell, self.delimiter)
        return DataError(f"{self.name}:{line}:{column}: {what}", remedy=remedy)

    def refuse(self, block: Block, faults: Sequence[Fault]) -> None:
        """DataError with the first faults of a block, in the order of the file, and with the one that ended
        reading, when there are faults.
        """
        if not faults:
            return
        told = [
            self.error(one.what, cell=one.cell, row=one.row, block=block, remedy=one.remedy)
            for one in sorted(faults)[:FAULTS]
        ]
        if len(faults) > FAULTS:
            told.append(
                DataError(f"{self.name}: these are the first {FAULTS} wrong cells, and there are more")
            )
        elif self._failure is not None:
            told.append(self._failure)
        told[0].others = tuple(told[1:])
        raise told[0]

    def _read(self, size: int, width: int | None) -> Block | None:
        """At most `size` rows; None at the end of the file. A failure waits until the rows before it were
        handed out.
        """
        if self._failure is not None:
            raise self._failure
        self._lines = []
        block = Block([], self._lines, [0], self._reader.line_num + 1)
        try:
            while len(block.rows) < size and self._read_row(block, width):
                pass
        except DataError as failure:
            if not block.rows:
                raise
            self._failure = failure
        return block if block.rows else None

    def _read_row(self, block: Block, width: int | None) -> bool:
        """Adds the next row to the block; False at the end of the file."""
        first = self._reader.line_num + 1
        self._record_size, self._record_line = 0, first
        try:
            row = next(self._reader, None)
        except csv.Error as error:
            raise DataError(f"{self.name}:{first}:1: {_explain(error)}", remedy=_QUOTES) from error
        except UnicodeDecodeError as error:
            raise self._not_utf8() from error
        if row is None:
            return False
        if row == [] or (row == [""] and width != 1):
            self._blank_line = self._blank_line or first
            return True
        if self._blank_line is not None:
            raise DataError(f"{self.name}:{self._blank_line}:1: the line is empty", remedy="remove it")
        block.rows.append(row)
        block.ends.append(len(self._lines))
        if width is not None and len(row) != width:
            ragged = self._ragged(block, row, width)
            block.rows.pop()
            raise ragged
        return True

    def _ragged(self, block: Block, row: list[str], width: int) -> DataError:
        remedy = "fill in the missing cells or remove the row"
        if len(row) > width:
            remedy = (
                "quote text that contains the delimiter; numbers need a decimal point (1.5, not 1,5)"
                if self.delimiter == ","
                else "quote text that contains the delimiter"
            )
        what = f"the row has {len(row)} cell{'s' * (len(row) != 1)}, the header {width}"
        return self.error(
            what, cell=min(len(row), width), row=len(block.rows) - 1, block=block, remedy=remedy
        )

    def _feed(self) -> Iterator[str]:
        """Physical lines for the csv reader, remembered for messages; bounded, since one record may span
        many.
        """
        while line := self._text.readline(RECORD_CHARACTERS):
            self._record_size += len(line)
            if self._record_size >= RECORD_CHARACTERS:
                raise DataError(
                    f"{self.name}:{self._record_line}:1: a row of more than {RECORD_CHARACTERS:,} characters",
                    remedy="is it a CSV file, and is a quote left open? use NPZ for very wide data",
                )
            self._lines.append(line)
            yield line

    def _not_utf8(self) -> DataError:
        """Finds the byte: the text layer reads ahead and does not know its line."""
        self._file.seek(0)
        line = 0
        while text := self._file.readline(4 * RECORD_CHARACTERS):
            line += 1
            try:
                text.decode()
            except UnicodeDecodeError as error:
                column = len(text[: error.start].decode()) + 1
                what = f"{self.name}:{line}:{column}: byte 0x{text[error.start]:02x} is not UTF-8"
                return DataError(what, remedy="save the file as UTF-8")
        return DataError(f"{self.name}: the file is not UTF-8", remedy="save the file as UTF-8")


_QUOTES: Final = 'a cell with quotes in it is written "like ""this"""'


def _explain(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "a quote that opens in this row never closes"
    if "field limit" in text:
        return f"a cell of more than {csv.field_size_limit():,} characters; does a quote in it never close?"
    return f"the row is not valid CSV ({text})"


def _check_delimiter(delimiter: str) -> None:
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise DataError("the delimiter", value=delimiter, allowed="one character, no quote and no line end")


def _refuse_utf16(file: BinaryIO, name: str) -> None:
    start = file.read(4)
    file.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        raise DataError(f"{name}:1:1: the file is UTF-16 or UTF-32", remedy="save it as UTF-8")
    if start.startswith(b"PK\x03\x04"):
        raise DataError(
            f"{name}:1:1: the file is a zip archive (a spreadsheet? an NPZ?)", remedy="export it as CSV"
        )
