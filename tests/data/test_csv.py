"""CSV files: what is read, and that what is wrong is told with file, line, column, rule and remedy."""

import csv
import io
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bpsvc.data import from_arrays, read_csv, read_rows
from bpsvc.data.csv_place import start_of
from bpsvc.errors import DataError

SPECS = Path(__file__).parents[2] / "specs"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_iris() -> None:
    iris = read_csv(SPECS / "iris.csv", target="species")
    assert (iris.examples, iris.inputs, iris.kind) == (150, 4, "classes")
    assert iris.features == ("sepal_length", "sepal_width", "petal_length", "petal_width")
    assert iris.classes == ("setosa", "versicolor", "virginica")
    assert np.bincount(iris.y[:, 0].astype(int)).tolist() == [50, 50, 50]
    assert iris.x.mean(axis=0) == pytest.approx([5.843333, 3.057333, 3.758, 1.199333], abs=1e-6)
    assert iris.x[34].tolist() == [4.9, 3.1, 1.5, 0.2]  # Fisher's flower 35, not UCI's
    assert iris.digest == "b096c3bd49b444e349e82204221deca8ee70a8ebf9079b78afc1d5b63f1f9b5f"


def test_columns_are_chosen_by_name_and_order(tmp_path: Path) -> None:
    path = write(tmp_path, "id,a,y,b,z\nx,1,2,3,4\ny,5,6,7,8\n")
    several = read_csv(path, target=["z", "y"], features=["b", "a"])
    assert several.x.tolist() == [[3, 1], [7, 5]] and several.y.tolist() == [[4, 2], [8, 6]]
    assert (several.features, several.targets) == (("b", "a"), ("z", "y"))
    assert read_csv(path, target="id").features == ("a", "y", "b", "z")
    x, beside = read_rows(path, features=["z", "a"], beside=["id", "none"])
    assert x.tolist() == [[4, 1], [8, 5]] and beside == {"id": ["x", "y"]}


SAME = "a,b,y\n1,-2.5,u\n3e2,.5,v\n"


@pytest.mark.parametrize(
    "text",
    [
        SAME,
        SAME[:-1],
        SAME + "\n\r\n\n",
        SAME.replace("\n", "\r\n"),
        SAME.replace("\n", "\r"),
        "\ufeff" + SAME,
        SAME.replace(",", " , "),
        'a,"b","y"\n"1",-2.5,"u"\n 3e2, ".5",v\n',
        'a,b,y\n"1\n",-2.5,u\n3e2,+0.50,v\n',
        SAME.replace("-2.5", "\u00a0-2.50e0\u00a0"),
    ],
)
def test_forms_of_the_same_data(tmp_path: Path, text: str) -> None:
    expected = from_arrays([[1, -2.5], [300, 0.5]], ["u", "v"], features=["a", "b"])
    assert read_csv(write(tmp_path, text), target="y") == expected


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, SAME.replace(",", delimiter))
    assert read_csv(path, target="y", delimiter=delimiter).x.tolist() == [[1, -2.5], [300, 0.5]]


def test_target_kinds(tmp_path: Path) -> None:
    path = write(tmp_path, "a,y\n1,10\n2,9\n3,10\n")
    assert read_csv(path, target="y").classes is None
    assert read_csv(path, target="y", target_kind="number").y.ravel().tolist() == [10, 9, 10]
    labels = read_csv(path, target="y", target_kind="class")
    assert labels.classes == ("9", "10") and labels.y.ravel().tolist() == [1, 0, 1]
    text = read_csv(write(tmp_path, "a,y\n1,no\n2, yes \n3,no\n"), target="y")
    assert text.classes == ("no", "yes") and text.y.ravel().tolist() == [0, 1, 0]
    taken = read_csv(write(tmp_path, "a,y\n1,NA\n2,?\n3,no\n"), target="y", target_kind="class")
    assert taken.classes == ("?", "NA", "no")
    spaced = read_csv(write(tmp_path, 'a,y\n1,"São Paulo, SP"\n2,"say ""x"""\n'), target="y")
    assert spaced.classes == ("São Paulo, SP", 'say "x"')


def test_classes_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    one = read_csv(write(tmp_path, "a,y\n1,p\n2,q\n"), target="y")
    two = read_csv(write(tmp_path, "a,y\n2,q\n1,p\n"), target="y")
    assert one.classes == two.classes and one.y.tolist() == two.y[::-1].tolist()


@given(
    st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
        min_size=1,
        max_size=20,
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_csv_and_repr_write_is_read_exactly(tmp_path: Path, rows: list[list[float]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b", "y"], *rows])
    dataset = read_csv(write(tmp_path, text.getvalue()), target="y")
    assert np.hstack([dataset.x, dataset.y]).tolist() == rows


@pytest.mark.slow
def test_blocks_are_joined(tmp_path: Path) -> None:
    n = 100_000
    path = write(tmp_path, "a,b,y\n" + "".join(f"{i},{-i},{'uvw'[i % 3]}\n" for i in range(n)))
    dataset = read_csv(path, target="y")
    assert (dataset.x[:, 0] == np.arange(n)).all() and (dataset.y[:, 0] == np.arange(n) % 3).all()
    path = write(tmp_path, path.read_text() + "1,x,u\n")
    assert_refused(path, {}, f":{n + 2}:3: column 'b': cell 'x': not a number")


def assert_refused(path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_csv(path, **{"target": "y", **options})  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"{path}{message}") or re.search(message, str(caught.value)), (
        caught.value
    )


BAD: list[tuple[str | bytes, dict[str, object], str]] = [
    # the file
    ("", {}, ":1:1: the file is empty; a CSV file begins with a line of column names"),
    ("\n\n", {}, ":1:1: the file is empty"),
    ("\ufeff", {}, ":1:1: the file is empty"),
    ("a,y", {}, ":2:1: there is no row below the header"),
    ("a,y\n\n\n", {}, ":2:1: there is no row below the header"),
    ("a,y\n1,é".encode("latin-1"), {}, ":2:3: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    ("a,é\n1,2".encode("latin-1"), {}, ":1:3: byte 0xe9 is not UTF-8"),
    (b"a,y\n" + b"1,2\n" * 9000 + b"\xff,1\n", {}, ":9002:1: byte 0xff"),
    ("a,y\n1,2\n".encode("utf-16"), {}, ":1:1: the file is UTF-16"),
    ("a,y\n1,2\n".encode("utf-16-be"), {}, "U\\+0000"),
    ("a,y\n1,2\n".encode("utf-32"), {}, ":1:1: the file is UTF-16 or UTF-32"),
    (b"PK\x03\x04....", {}, ":1:1: the file is a zip archive"),
    (b"\x89PNG\r\n\x1a\n", {}, ":1:1: byte 0x89 is not UTF-8"),
    (b"SQLite format 3\0", {}, "U\\+0000"),
    # the header
    ("a,b,a,y\n1,2,3,4\n", {}, ":1:5: the column 'a' appears twice (columns 1 and 3); rename one"),
    ("y,a,y\n1,2,3\n", {}, ":1:5: the column 'y' appears twice"),
    ("a, a,y\n1,2,3\n", {}, ":1:4: the column 'a' appears twice"),
    (
        ",a,y\n0,1,2\n",
        {},
        ":1:1: column 1 has no name; name it or remove it (pandas: to_csv(…, index=False))",
    ),
    ("a,,y\n0,1,2\n", {}, ":1:3: column 2 has no name"),
    ("a,y,\n0,1,\n", {}, ":1:5: column 3 has no name"),
    ("a\x1b[31m,y\n0,1\n", {}, ":1:1: the column name 'a\\x1b[31m' contains the control character U+001B"),
    ("a,y\u202e\n0,1\n", {}, ":1:3: the column name"),
    (f"{'n' * 300},y\n0,1\n", {}, ":1:1: the column name 'nnn"),
    ("\na,y\n0,1\n", {}, ":1:1: the line is empty; remove it"),
    # the columns asked for
    (
        "a,specie\n1,2\n",
        {"target": "species"},
        "no target column 'species'; the file has: a, specie; did you mean 'specie'?",
    ),
    ("a,Y\n1,2\n", {}, "did you mean 'Y'\\?"),
    ("sepal,y\n1,2\n", {"features": ["spal"]}, "no feature column 'spal'.*did you mean 'sepal'\\?"),
    ("a;y\n1;2\n", {}, ":1:1: the whole header is one column, 'a;y'; does the file use ';'? set the"),
    ("a\ty\n1\t2\n", {}, "does the file use a tab\\? set the delimiter"),
    ("a,y\n1,2\n", {"delimiter": ";"}, "does the file use ','\\? set the delimiter"),
    ("1,2\n3,4\n", {}, "the first line is all numbers: a CSV file begins with a line of column names"),
    ("y\n1\n", {}, ":1:1: there is no feature column"),
    ("a,y\n1,2\n", {"features": []}, ":1:1: there is no feature column"),
    ("a,y\n1,2\n", {"features": ["a", "y"]}, "the column 'y' is both feature and target"),
    ("a,y\n1,2\n", {"features": ["a", "a"]}, "'a' is named twice"),
    ("a,y\n1,2\n", {"target": ["y", "y"]}, "'y' is named twice"),
    ("a,y\n1,2\n", {"target": []}, "names no column; allowed: at least one"),
    ("a,y\n1,2\n", {"target_kind": "text"}, "auto, number or class"),
    ("a,y,z\n1,2,3\n", {"target": ["y", "z"], "target_kind": "class"}, "one column, not 2"),
    ("a,y\n1,2\n", {"delimiter": ""}, "one character"),
    ("a,y\n1,2\n", {"delimiter": ", "}, "one character"),
    ("a,y\n1,2\n", {"delimiter": '"'}, "one character"),
    ("a,y\n1,2\n", {"delimiter": "\n"}, "one character"),
    # rows
    (
        "a,b,y\n1,2,3\n1,2\n",
        {},
        ":3:4: the row has 2 cells, the header 3; fill in the missing cells or remove the row",
    ),
    ("a,b,y\n1,2,3\n1\n", {}, ":3:2: the row has 1 cell, the header 3"),
    ("a,b,y\n1,5,2,3\n", {}, ":2:7: the row has 4 cells, the header 3;.*decimal point \\(1.5, not 1,5\\)"),
    ("a;y\n1;5;2\n", {"delimiter": ";"}, ":2:5: the row has 3 cells, the header 2; quote text"),
    ("a,y\n1,2\n\n3,4\n", {}, ":3:1: the line is empty; remove it"),
    ("a,y\n1,2\n  \n3,4\n", {}, ":3:1: the line is empty; remove it"),
    ('a,y\n1,2\n"3,4\n5,6\n', {}, ":3:1: a quote that opens in this row never closes"),
    ('a,y\n1,2\n"3"4,5\n', {}, ":3:1: the row is not valid CSV"),
    ('a,y\n1,"' + "x" * 200_000 + '"\n', {}, ":2:1: a cell of more than 131,072 characters"),
    ("a,y\n1," + "x" * 5_000_000, {}, ":2:1: "),
    ("a,y\n1," + "'x'," * 1_200_000, {}, ":2:1: a row of more than 4,194,304 characters"),
    ('a,y\n1,"\n"' + ',"\n"' * 1_200_000, {}, ":2:1: a row of more than 4,194,304 characters"),
    # cells
    ("a,y\n1,2\nx,4\n", {}, ":3:1: column 'a': cell 'x': not a number; name the numeric columns in features"),
    ("a,y\n1,2\nNaN,4\n", {}, ":3:1: column 'a': cell 'NaN': the value is missing"),
    ("a,y\n1,2\n,4\n", {}, ":3:1: column 'a': cell '': the value is missing"),
    ("a,y\n1,2\n , 4\n", {}, ":3:2: column 'a': cell '': the value is missing"),
    ("a,y\n1,2\n?,4\n", {}, ":3:1: column 'a': cell '?': the value is missing"),
    ("a,y\n1,2\n3,NA\n", {}, ":3:3: column 'y': cell 'NA': the value is missing"),
    ("a,y\n1,2\ninf,4\n", {}, ":3:1: column 'a': cell 'inf': not a finite number"),
    ("a,y\n1,2\n1e999,4\n", {}, ":3:1: column 'a': cell '1e999': not a finite number"),
    (
        'a,y\n1,2\n"1,5",4\n',
        {},
        ":3:1: column 'a': cell '1,5': not a number; write a decimal point: 1.5, not 1,5",
    ),
    ("a;y\n1;2\n1,5;4\n", {"delimiter": ";"}, "write a decimal point"),
    ("a,y\n1,2\n1_000,4\n", {}, ":3:1: column 'a': cell '1_000': not a number"),
    ("a,y\n1,2\n٣,4\n", {}, ":3:1: column 'a': cell '٣': not a number"),
    ("a,y\n1,2\n0x10,4\n", {}, ":3:1: column 'a': cell '0x10': not a number"),
    ("a,y\n1,2\n1 2,4\n", {}, ":3:1: column 'a': cell '1 2': not a number"),
    ("a,y\n1,2\n1\0,4\n", {}, ":3:1: column 'a': cell '1\\x00': not a number"),
    ("a,y\n1,2\n\x1b[2J,4\n", {}, ":3:1: column 'a': cell '\\x1b[2J': not a number"),
    ("a,y\n1,2\n" + "z" * 999 + ",4\n", {}, "cell 'z{40}…': not a number"),
    ("a,b,y\n1,2,2\n1,x,2\nx,2,2\n", {}, ":3:3: column 'b'"),
    ("a,b,y\n1,2,2\n1,x,2\n1,2\n", {}, ":3:3: column 'b'"),
    ("a,b,y\n1,2,2\n1,3\n1,x,2\n", {}, ":3:4: the row has 2 cells"),
    ('a,b,y\n"p\nq",x,3\n', {"features": ["b"]}, ":3:4: column 'b': cell 'x'"),
    ('a,b,y\n"p,""q",  x,3\n', {"features": ["b"]}, ":2:11: column 'b': cell 'x'"),
    # targets
    (
        "a,y\n1,2\n3,x\n",
        {},
        ":3:3: column 'y': cell 'x': not a number; the first value is a number; for class labels",
    ),
    ("a,y\n1,x\n3,4\n", {}, ":3:3: column 'y': cell '4': a number among text labels; mend it, or set"),
    ("a,y\n1,x\n3,nan\n", {}, ":3:3: column 'y': cell 'nan': the label is missing; mend it, or set"),
    ("a,y\n1,b\n2,?\n3,c\n", {}, ":3:3: column 'y': cell '?': the label is missing"),
    ("a,y\n1, NA\n2,b\n3,c\n", {}, ":2:4: column 'y': cell 'NA': the label is missing"),
    ("a,y\n1,NA\n2,3\n3,4\n", {}, ":2:3: column 'y': cell 'NA': the value is missing"),
    ("a,y\n1,x\n3,\n", {}, ":3:3: column 'y': cell '': the label is missing"),
    ("a,y\n1,\n3,x\n", {}, ":2:3: column 'y': cell '': the label is missing"),
    ("a,y\n1,-\n3,-\n", {}, ":2:3: column 'y': cell '-': the value is missing"),
    ("a,y\n1,\n3,x\n", {"target_kind": "class"}, ":2:3: column 'y': cell '': the label is missing"),
    ("a,y\n1,x\n3,x\n", {}, ": column 'y': every example has the class 'x'; allowed: at least two classes"),
    ("a,y\n1,1\n3,1.0\n", {"target_kind": "class"}, "the labels '1' and '1.0' are the same number"),
    ("a,y\n1,x\n3,z\x1b\n", {}, ":3:3: column 'y': the label 'z\\x1b' contains the control character U+001B"),
    ("a,y\n1,x\n", {"target_kind": "number"}, ":2:3: column 'y': cell 'x': not a number; mend the cell"),
    ("a,y,z\n1,2,x\n", {"target": ["y", "z"]}, "several target columns are numbers"),
    (
        "a,y\n" + "".join(f"1,n{i}\n" for i in range(1001)),
        {},
        ":1002:3: column 'y': more than 1,000 different labels",
    ),
]


def refusal(path: Path, **options: object) -> list[str]:
    with pytest.raises(DataError) as caught:
        read_csv(path, target="y", **options)  # type: ignore[arg-type]
    return str(caught.value).replace(f"{path}:", "").splitlines()


def test_all_wrong_cells_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,y\n1,2,x\nq,3,4\n,NA,\n4,5,v\n1\n")
    told = refusal(path)
    assert [one.split(" ")[0] for one in told] == ["3:1:", "3:5:", "4:1:", "4:2:", "4:5:", "6:2:"]
    assert told[-1].startswith("6:2: the row has 1 cell, the header 3")
    long = write(tmp_path, "a,y\n" + "1,2\nx,2\n" * 200)
    told = refusal(long)
    assert [one.split(":")[0] for one in told[:-1]] == [str(line) for line in range(3, 23, 2)]
    assert told[-1].endswith(" these are the first 10 wrong cells, and there are more")


def test_a_column_of_text_is_one_finding_that_says_what_can_be_done(tmp_path: Path) -> None:
    path = write(tmp_path, "a,farbe,y\n1,rot,0\nx,blau,1\n3,rot,0\n")
    text, cell = refusal(path)
    assert text == (
        "2:3: column 'farbe': cell 'rot': not a number, nor is any other here; "
        "leave it out of features, or write a column of 0 and 1 for each of its values"
    )
    assert cell.startswith("3:1: column 'a': cell 'x': not a number")
    assert read_csv(write(tmp_path, "a,farbe,y\n1,rot,0\n2,blau,1\n"), target="y", features=["a"]).inputs == 1


def test_a_target_is_not_offered_as_a_feature(tmp_path: Path) -> None:
    (told,) = refusal(write(tmp_path, "a,b,y\n1,2,3\n"), features=["yy"])
    assert told == "1:1: there is no feature column 'yy'; the file has beside the target: a, b"


@pytest.mark.parametrize(("text", "options", "message"), BAD, ids=range(len(BAD)))
def test_bad_files(tmp_path: Path, text: str | bytes, options: dict[str, object], message: str) -> None:
    path = write(tmp_path, text)
    assert_refused(path, options, message)


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    write(tmp_path, SAME)
    fifo = tmp_path / "fifo.csv"
    os.mkfifo(fifo)
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(3 * 2**30)
    for path, message in [
        (tmp_path / "s.csv", f"{tmp_path}/s.csv: no such file; did you mean 't.csv'?"),
        (tmp_path / "no" / "t.csv", f"no such file; there is no folder '{tmp_path}/no' either"),
        (tmp_path, "is a directory, not a file"),
        (fifo, "is a pipe or device, not a regular file"),
        (Path("/dev/zero"), "is a pipe or device, not a regular file"),
        (loop, "cannot be read"),
        (tmp_path / ("x" * 300), "cannot be read"),
        (Path("a\0b"), "null byte"),
        (huge, "has 3,072 MiB; allowed: at most 2,048 MiB"),
        (tmp_path / "\x1b[2J.csv", "/·[2J.csv: no such file"),
    ]:
        with pytest.raises(DataError) as caught:
            read_csv(path, target="y")
        assert message in str(caught.value)


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = write(tmp_path, SAME)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(DataError, match="cannot be read"):
        read_csv(path, target="y")


def test_new_rows_are_checked_as_the_data_are(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,x\n")
    with pytest.raises(DataError, match=r"t\.csv:2:3: column 'b': cell 'x': not a number"):
        read_rows(path, features=["a", "b"])
    with pytest.raises(DataError, match="there is no row below the header"):
        read_rows(write(tmp_path, "a,b\n"), features=["a"])
    with pytest.raises(DataError, match="no feature column 'c'"):
        read_rows(path, features=["c"])


CELL = st.text(st.sampled_from('ab ,"\n1.;'), max_size=6)


@given(st.lists(CELL, min_size=2, max_size=4), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
@settings(deadline=None)
def test_places_of_cells(cells: list[str], quoting: int) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator="\n").writerow(cells)  # type: ignore[arg-type]
    record = text.getvalue()
    for i, cell in enumerate(cells):
        rest = record[start_of(record, i, ",") :]
        parsed = next(csv.reader(io.StringIO(rest, newline=""), skipinitialspace=True), [])
        assert (parsed or [""])[0].strip(" ") == cell.strip(" ")


SCRAPS = st.sampled_from(
    [
        b"a,b,y\n",
        b"1,2,3\n",
        b"1,2,x\n",
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"nan",
        b"1_0",
        b" ",
    ]
)


@given(st.binary(max_size=200) | st.lists(SCRAPS, max_size=12).map(b"".join))
@example(b'a,b,y\n1,2,"x')
@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_arbitrary_bytes_are_data_or_a_data_error(tmp_path: Path, raw: bytes) -> None:
    path = write(tmp_path, raw)
    for options in ({}, {"target_kind": "class"}, {"delimiter": ";"}, {"features": ["a"]}):
        with suppress(DataError):
            dataset = read_csv(path, target="y", **options)
            assert np.isfinite(dataset.x).all() and dataset.targets == ("y",)


def test_a_file_is_refused_as_soon_as_it_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpsvc.data.limits.PARSED_BYTES", 2**20)
    path = write(tmp_path, "a,y\n" + "1,2\n" * 200_000 + "never read\n")
    assert_refused(path, {}, r"t\.csv: the first 131,072 rows would take .* 2 MiB; allowed: at most 1 MiB")
