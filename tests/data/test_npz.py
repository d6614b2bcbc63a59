"""NPZ files: what is read; nothing hostile in one costs memory, runs code or escapes as another error."""

import io
import pickle
import resource
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpsvc.data import from_arrays, read_npz
from bpsvc.errors import DataError

X, Y = np.arange(8.0).reshape(4, 2), np.array([0, 1, 1, 0])


def npy(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), **options)
    return file.getvalue()


def header(text: str, data: bytes = b"", version: int = 1, length: int | None = None) -> bytes:
    raw = text.encode("latin-1")
    size = struct.pack("<H" if version == 1 else "<I", len(raw) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + raw + data


def write(folder: Path, **members: bytes) -> Path:
    path = folder / "t.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            archive.writestr(f"{name}.npy", raw)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X, Y),
        (X.astype(np.float32), Y.astype(bool)),
        (X.astype(">f8"), Y[:, None]),
        (np.asfortranarray(X), Y.astype(np.uint8)),
        (X.astype(np.int8), Y.astype("<i8")),
    ],
)
def test_arrays_are_read(tmp_path: Path, save: Any, x: Any, y: Any) -> None:
    path = tmp_path / "t.npz"
    save(path, x=x, y=y, other=np.array([object()]))
    assert read_npz(path) == from_arrays(X, Y)


def test_keys_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, images=X, labels=np.array(["no", "yes", "yes", "no"]))
    assert read_npz(path, x="images", y="labels") == from_arrays(X, ["no", "yes", "yes", "no"])
    np.savez(path, x=X, y=np.array([b"no", b"yes", b"yes", b"no"]))
    assert read_npz(path).classes == ("no", "yes")
    np.savez(path, x=X, y=X)
    assert read_npz(path).targets == ("y1", "y2")


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (50000000, 2), }\n"
BAD: list[tuple[dict[str, bytes], str]] = [
    ({}, "there is no array 'x'; allowed: none"),
    ({"X": npy(X), "z": npy(Y)}, "there is no array 'x'; allowed: 'X', 'z'"),
    ({"x": npy(X), "target": npy(Y)}, "there is no array 'y'; allowed: 'x', 'target'"),
    ({"x": npy(np.array([[object()]])), "y": npy(Y)}, "'x' holds Python objects, which are never unpickled"),
    ({"x": npy(X), "y": npy(np.array(["a", None], object))}, "'y' holds Python objects"),
    ({"x": npy(X.astype(complex)), "y": npy(Y)}, "'x' has the type '<c16'"),
    ({"x": npy(X.astype(np.longdouble)), "y": npy(Y)}, "'x' has the type '<f16'"),
    ({"x": npy(np.zeros(4, "f8,f8")), "y": npy(Y)}, "'x' has the type 'a record'"),
    ({"x": npy(np.zeros((4, 1), "M8[s]")), "y": npy(Y)}, "'x' has the type '<M8"),
    ({"x": npy(X.astype("U3")), "y": npy(Y)}, "'x' holds text, not numbers"),
    ({"x": npy(X[:, 0]), "y": npy(Y)}, r"'x' has shape \(4,\); allowed: \(examples, features\); reshape it"),
    ({"x": npy(X.reshape(4, 2, 1)), "y": npy(Y)}, r"'x' has shape \(4, 2, 1\)"),
    ({"x": npy(np.float64(1)), "y": npy(Y)}, r"'x' has shape \(\)"),
    ({"x": npy(X), "y": npy(X.reshape(2, 2, 2))}, r"'y' has shape \(2, 2, 2\)"),
    ({"x": npy(X), "y": npy(np.float64(1))}, r"'y' has shape \(\)"),
    ({"x": npy(X), "y": npy(np.full((4, 2), "a"))}, "'y' has 2 columns of labels"),
    ({"x": npy(X), "y": npy(np.array(["a", "a", "a", "a"]))}, "every example has the class 'a'"),
    ({"x": npy(X), "y": npy(np.array(["a", "b", "a", ""]))}, "is empty"),
    ({"x": npy(X), "y": npy(np.array(["a", "b", "a", "\x1b"]))}, r"U\+001B"),
    ({"x": npy(X), "y": npy(np.array([b"a", b"b", b"a", b"\xff"]))}, "labels that are no text"),
    ({"x": npy(X), "y": npy(Y[:3])}, "x has 4 examples, y has 3"),
    ({"x": npy(X[:0]), "y": npy(Y[:0])}, "'x' is empty"),
    ({"x": npy(X[:, :0]), "y": npy(Y)}, "'x' is empty"),
    ({"x": npy(np.where(X > 6, np.nan, X)), "y": npy(Y)}, "x, example 4, feature 'x2': nan"),
    ({"x": npy(X), "y": npy(np.array([0, 1, 2, 2**53 + 1]))}, "integers that float64 cannot hold"),
    ({"x": npy(np.full((4, 2), 2**64 - 1, np.uint64)), "y": npy(Y)}, "integers that float64 cannot hold"),
    ({"x": b"", "y": npy(Y)}, "'x' is no NPY array"),
    ({"x": b"\x93NUMPY", "y": npy(Y)}, "'x' is no NPY array"),
    ({"x": pickle.dumps([1]), "y": npy(Y)}, "'x' is no NPY array"),
    ({"x": b"\x93NUMPY\x03\x00" + npy(X)[8:], "y": npy(Y)}, "version 3"),
    ({"x": header("{}"), "y": npy(Y)}, "no NPY header"),
    ({"x": header("(" * 5000), "y": npy(Y)}, "no NPY header"),
    ({"x": header("__import__('os').abort()"), "y": npy(Y)}, "no NPY header"),
    ({"x": header("{}", version=2, length=2**31), "y": npy(Y)}, "header of 2,147,483,648 bytes"),
    ({"x": header("{}", length=9000), "y": npy(Y)}, "header that is cut"),
    ({"x": header(HUGE), "y": npy(Y)}, r"'x' of shape \(50000000, 2\) takes 763 MiB"),
    ({"x": header(HUGE.replace("50000000", "9" * 18)), "y": npy(Y)}, "at most 256 MiB"),
    ({"x": header(HUGE.replace("50000000", "9" * 5000)), "y": npy(Y)}, r"the shape \(9{40}\), which is none"),
    ({"x": header(HUGE.replace("50000000", "-1")), "y": npy(Y)}, "no NPY header"),
    ({"x": header(HUGE.replace("<f8", "<U90000000")), "y": npy(Y)}, "at most 256 MiB"),
    ({"x": header(HUGE.replace("<f8", "<f3")), "y": npy(Y)}, "type '<f3', which numpy does not know"),
    ({"x": npy(X)[:-1], "y": npy(Y)}, "64 bytes; the archive holds 191: the file is damaged"),
    ({"x": npy(X) + b"0", "y": npy(Y)}, "64 bytes; the archive holds 193: the file is damaged"),
]


@pytest.mark.parametrize(("members", "message"), BAD, ids=range(len(BAD)))
def test_bad_arrays(tmp_path: Path, members: dict[str, bytes], message: str) -> None:
    path = write(tmp_path, **members)
    with pytest.raises(DataError, match=message) as caught:
        read_npz(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    "raw", [b"", b"PK", b"a,b\n1,2\n", npy(X), pickle.dumps(X), b"PK\x05\x06" + b"\0" * 17]
)
def test_what_is_no_archive(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"is no NPZ file, or a damaged one; write it with numpy\.savez"):
        read_npz(path)


def test_an_array_that_is_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(X))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", npy(2 * X))
    with pytest.raises(DataError, match="'x' is there twice"):
        read_npz(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_flipped_bytes_are_noticed(tmp_path: Path, method: int) -> None:
    path = tmp_path / "t.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("x.npy", npy(X))
        archive.writestr("y.npy", npy(Y))
    raw = path.read_bytes()
    at = raw.index(npy(X)[-8:]) if method == zipfile.ZIP_STORED else 60
    path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
    with pytest.raises(DataError, match="damaged"):
        read_npz(path)


@pytest.mark.slow
def test_a_bomb_costs_no_memory(tmp_path: Path) -> None:
    """320 MiB of zeros in a third of a MiB, honest about its size or not: refused before it is unpacked."""
    shape = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, 1), }\n"
    path = tmp_path / "t.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x.npy", "w") as file:
            file.write(header(shape % (40 * 2**20)))
            for _ in range(20):
                file.write(bytes(2**24))
        archive.writestr("y.npy", npy(Y))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match="320 MiB; allowed: at most 256 MiB"):
        read_npz(path)
    small = path.read_bytes().replace(
        (320 * 2**20 + 10 + len(shape % (40 * 2**20))).to_bytes(4, "little"), b"\xff\0\0\0"
    )
    assert small != path.read_bytes()
    path.write_bytes(small)
    with pytest.raises(DataError):
        read_npz(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


ARCHIVE = io.BytesIO()
np.savez(ARCHIVE, x=X, y=np.array(["a", "b", "b", "a"]))


@given(
    st.lists(st.tuples(st.integers(0, len(ARCHIVE.getvalue()) - 1), st.integers(0, 255)), max_size=4),
    st.none() | st.integers(0, len(ARCHIVE.getvalue())),
)
@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_mutated_archives_are_data_or_a_data_error(
    tmp_path: Path, flips: list[tuple[int, int]], cut: int | None
) -> None:
    raw = bytearray(ARCHIVE.getvalue())
    for at, value in flips:
        raw[at] = value
    path = tmp_path / "t.npz"
    path.write_bytes(bytes(raw[:cut]))
    with suppress(DataError):
        assert np.isfinite(read_npz(path).x).all()


PIECES = st.sampled_from(
    [
        "'descr'",
        ":",
        " '<f8'",
        "'|O'",
        "'<U3'",
        ",",
        "'fortran_order'",
        "True",
        "'shape'",
        "(",
        ")",
        "4",
        "2",
        "-1",
        "{",
        "}",
        "\n",
        "9" * 30,
    ]
)


@given(
    st.lists(PIECES, max_size=16).map("".join) | st.text(max_size=40),
    st.binary(max_size=80),
    st.sampled_from([1, 2, 3]),
)
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_arbitrary_headers_are_data_or_a_data_error(
    tmp_path: Path, text: str, data: bytes, version: int
) -> None:
    raw = header(text.encode("latin-1", "replace").decode("latin-1"), data, version)
    with suppress(DataError):
        read_npz(write(tmp_path, x=npy(X), y=raw))


def test_narrow_types_count_as_what_they_become(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpsvc.data.limits.PARSED_BYTES", 2**20)
    x = np.zeros((50_000, 3), np.int8)
    with pytest.raises(DataError, match="the arrays 'x' and 'y' would take 200,000"):
        read_npz(write(tmp_path, x=npy(x), y=npy(x[:, 0])))
