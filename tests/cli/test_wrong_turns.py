"""Wrong turns through the command line: the exit code, what is said, and that nothing is stored.

`tests/spec/test_bad_specs.py` and `tests/data` ask the rooms themselves for many more.
"""

import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_help import TINY, Bpsvc, Ran

from bpsvc.service import canned, describing, planning, submitting  # noqa: F401 (loaded before time counts)
from bpsvc.store import Store

TRAINING = TINY["training"]
CSV = {"source": "csv", "path": "t.csv", "target": "y"}
INLINE = {"source": "inline", "x": [[0], [1]], "y": [0, 1]}


def written(**changes: Any) -> str:
    return json.dumps({**TINY, "sweep": None, **changes})


def training(**changes: Any) -> dict[str, Any]:
    return {**TINY["training"], **changes}


def network(**changes: Any) -> dict[str, Any]:
    return {"network": {"hidden": [2], **changes}}


TEXTS: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "a spec is a JSON object; see `bpsvc schema`"),
    "white space": (" \n\t ", "a spec is a JSON object; see `bpsvc schema`"),
    "null": ("null", "a spec is a JSON object; see `bpsvc schema`"),
    "a list": ("[]", "a spec is a JSON object; see `bpsvc schema`"),
    "a number": ("42", "a spec is a JSON object; see `bpsvc schema`"),
    "a text": ('"xor"', "a spec is a JSON object; see `bpsvc schema`"),
    "truncated": ('{"data":\n "xo', "s.json:2:2: this text never ends"),
    "cut after a colon": ('{"data":', "s.json:1:9: the text ends where a value should stand"),
    "a trailing comma": ('{"data": "xor",}', "s.json:1:15: the comma before '}' is one too many"),
    "two objects": ("{} {}", "s.json:1:4: the spec has ended here, but the text goes on"),
    "a key twice": ('{"data": "xor", "data": "or"}', "s.json:1:17: data: 'data' appears twice"),
    "100,000 brackets": ("[" * 100_000, "nested more than 32 deep"),
    "100,000 objects": ('{"a":' * 100_000, "nested more than 32 deep"),
    "33 deep": ("[" * 33 + "]" * 33, "nested more than 32 deep"),
    "2 MB": (b" " * 2_000_000, "larger than 1 MiB"),
    "inline data of 2 MB": (written(data={**INLINE, "x": [[0.123456789] * 200_000]}), '"csv" or "npz"'),
    "a NUL": (b"\0", "cannot stand here"),
    "Latin-1": (b'{"name": "\xe9"}', "s.json:1:11: this is not UTF-8 text"),
    "UTF-16": ("{}".encode("utf-16"), "this is not UTF-8 text"),
    "NaN": ('{"seeds": NaN}', "s.json:1:11: seeds: NaN is not a number in JSON"),
    "Infinity": ('{"seeds": -Infinity}', "is not a number in JSON"),
    "an endless number": ('{"seeds": ' + "9" * 5000 + "}", "is too large a number"),
    "1e999": ('{"seeds": 1e999}', "is too large a number"),
    "half a surrogate": ('{"name": "\\ud800"}', "half of a surrogate pair"),
    "single quotes": ("{'name': 1}", "text and names stand in double quotes"),
    "a comment": ("// why\n{}", "JSON has no comments"),
    "Python's True": ('{"a": True}', "s.json:1:7"),
    "no section": ("{}", "training: is missing"),
    "an unknown field": (written(training={"lerning_rate": 1, "epochs": 1}), "did you mean 'learning_rate'?"),
    "a long unknown field": (written(**{"k" * 100_000: 1}), "there is no such field here"),
    "epochs -1": (written(training=training(epochs=-1)), "training.epochs: -1 is out of range"),
    "epochs 1.5": (written(training=training(epochs=1.5)), "training.epochs: 1.5 is not a whole number"),
    "epochs true": (written(training=training(epochs=True)), "true is not a whole number"),
    "epochs in quotes": (written(training=training(epochs="10")), "without quotes: 10"),
    "epochs 1e12": (written(training=training(epochs=10**12)), "at most 1,000,000,000"),
    "learning rate 0": (written(training=training(learning_rate=0)), "greater than 0"),
    "learning rate -0.1": (written(training=training(learning_rate=-0.1)), "-0.1 is out of range"),
    "learning rate in quotes": (written(training=training(learning_rate="0.1")), "without quotes: 0.1"),
    "batch size 0": (written(training=training(batch_size=0)), "training.batch_size: 0 is out of range"),
    "batch size 5 of 4": (written(training=training(batch_size=5)), "a batch of 5 from 4 training examples"),
    "no layer": (written(network={"layers": []}), "a network needs at least its output layer"),
    "100,000 layers": (written(network={"hidden": [1] * 100_000}), "100,000 hidden layers"),
    "units 0": (written(**network(hidden=[0])), "network.hidden.1: 0 is out of range"),
    "units -3": (written(**network(hidden=[2, -3])), "network.hidden.2: -3 is out of range"),
    "units 1e9": (written(**network(hidden=[10**9])), "network.hidden.1: 1000000000 is out of range"),
    "a product of 40 GB": (
        written(**network(hidden=[70_000, 70_000])), "4,900,350,001 parameters in one run (36.5 GiB"),
    "a deep product": (written(**network(hidden={"depth": 1000, "units": 3000})), "8,994,009,001 parameters"),
    "28 GB of records": (
        written(training=training(epochs=10**7), seeds=10),
        '"record": {"every": "decades"}, or train fewer runs or epochs; --yes'),
    "a sweep of 10^8 runs": (
        written(seeds=10**4, sweep={"grid": {
            "training.learning_rate": [i / 100 for i in range(1, 101)],
            "init.range": [i / 100 for i in range(1, 101)]}}),
        "100,000,000 runs (10,000 points × 10,000 seeds)"),
    "10^8 seeds": (written(seeds=10**8), "seeds: 100,000,000 runs"),
    "an empty axis": (written(sweep={"grid": {"loss": []}}), "sweep.grid.loss"),
    "a value twice": (written(sweep={"grid": {"loss": ["squared", "squared"]}}), "twice"),
    "a path to nowhere": (written(sweep={"grid": {"training.momentumm": [0.1, 0.2]}}), "momentumm"),
    "one bad point of 50": (
        written(sweep={"grid": {"training.learning_rate": [*range(1, 50), -1]}}),
        "s.json:1:401: training.learning_rate: -1 is out of range"),
    "a sweep over epochs": (written(sweep={"grid": {"training.epochs": [10, 20]}}), "training.epochs"),
    "a sweep of a text": (written(sweep={"grid": {"loss": "squared"}}), "sweep.grid.loss"),
    "zip of two lengths": (
        written(sweep={"zip": {"loss": ["squared"], "training.learning_rate": [1.0, 2.0]}}), "sweep.zip"),
    "an unknown activation": (written(**network(activation="rellu")), "did you mean 'relu'?"),
    "an unknown loss": (written(loss="mse"), "`squared` here is ½ Σ"),
    "an unknown optimizer": (written(training=training(optimizer="sdg")), "did you mean 'sgd'?"),
    "an unknown init": (written(init="xavier"), "`glorot_uniform` or `glorot_normal`"),
    "an unknown source": (written(data="xorr"), "did you mean 'xor'?"),
    "likelihood of relu": (
        written(**network(output="relu"), loss="log_likelihood"), "not defined for relu outputs"),
    "likelihood of tanh": (
        written(**network(output="tanh"), loss="log_likelihood"), "allowed: logistic, softmax, identity"),
    "three outputs for one": (
        written(network={"layers": [{"units": 2}, {"units": 3}]}), "3 output units for 1 target"),
    "softmax of one": (written(**network(output="softmax")), "softmax over a single unit is always 1"),
    "half labels": (
        written(data={**INLINE, "y": [0, 0.5]}, **network(output="logistic"), loss="log_likelihood"),
        "example 2 is 0.5: the Bernoulli likelihood is of 0 and 1"),
    "seeds -1": (written(seeds=-1), "seeds: -1 seeds are no runs"),
    "seed -1": (written(seeds=[-1]), "seeds.1: -1 is no seed"),
    "a seed twice": (written(seeds=[1, 1]), "the seed 1 appears twice"),
    "an empty name": (written(name=""), "name: this text is empty"),
    "a name of 10 kB": (written(name="n" * 10_000), "name: this text has 10,000 characters"),
    "a name of two lines": (written(name="a\nb"), "control character U+000A"),
    "a name that clears the screen": (written(name="\x1b[2J"), "control character U+001B"),
    "a name backwards": (written(name="\u202ename"), "control character U+202E"),
    "epochs off the cadence": (
        written(training=training(epochs=15), record={"every": 10}), "10 or 20 (the nearest)"),
    "data from elsewhere": (written(data={**CSV, "path": "/etc/passwd"}), "lies outside the spec's folder"),
    "data from above": (written(data={**CSV, "path": "../t.csv"}), "add the flag --allow-path"),
    "data from a device": (written(data={**CSV, "path": "/dev/zero"}), "lies outside the spec's folder"),
    "data of no file": (written(data=CSV), "no such file"),
    "npz of no file": (written(data={"source": "npz", "path": "t.npz"}), "no such file"),
}  # fmt: skip

TABLES: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "t.csv:1:1: the file is empty"),
    "a header alone": ("a,y\n", "t.csv:2:1: there is no row below the header"),
    "ragged": ("a,y\n1,0\n1\n", "t.csv:3:2: the row has 1 cell, the header 2"),
    "too long a row": ("a,y\n1,0\n1,0,1\n", "t.csv:3"),
    "a text": ("a,y\n1,0\nx,1\n", "t.csv:3:1: column 'a': cell 'x': not a number"),
    "a decimal comma": ('a,y\n"1,5",0\n2,1\n', "t.csv:2:1: column 'a': cell '1,5'"),
    "nan": ("a,y\nNaN,0\n2,1\n", "t.csv:2:1: column 'a': cell 'NaN': the value is missing"),
    "inf": ("a,y\n1,0\ninf,1\n", "t.csv:3:1: column 'a': cell 'inf': not a finite number"),
    "a blank cell": ("a,y\n,0\n2,1\n", "t.csv:2:1: column 'a': cell '': the value is missing"),
    "a header twice": ("a,a,y\n1,1,0\n2,1,1\n", "t.csv:1:3: the column 'a' appears twice"),
    "semicolons": ("a;y\n1;0\n2;1\n", "does the file use ';'?"),
    "an open quote": ('a,y\n"1,0\n2,1\n', "a quote that opens in this row never closes"),
    "bytes": (b"\0\1\2", "control character U+0000"),
    "Latin-1": (b"a,y\n1,\xe9\n2,b\n", "t.csv:2:3: byte 0xe9 is not UTF-8"),
    "a label that colours": ("a,y\n1,\x1b[31mred\n2,b\n", "control character U+001B"),
    "a heading backwards": ("a\u202e,y\n1,0\n2,1\n", "control character U+202E"),
    "no target": ("a,z\n1,0\n2,1\n", "there is no target column 'y'"),
    "one class": ("a,y\n1,b\n2,b\n", "every example has the class 'b'"),
    "no heading": (",y\n1,0\n2,1\n", "column 1 has no name"),
    "a number of 200,000 digits": ("a,y\n" + "1" * 200_000 + ",0\n2,1\n", "131,072 characters"),
}  # fmt: skip

# Without a store: arguments, exit code, what is said.
COMMANDS: list[tuple[tuple[object, ...], int, str]] = [
    ((), 2, "Commands:"),
    (("sumbit",), 2, "Did you mean 'submit'?"),
    (("reprot", "xor"), 2, "Did you mean 'report'"),
    (("schedule", "ad"), 2, "Did you mean 'add'?"),
    (("db", "bakup"), 2, "Did you mean 'backup'?"),
    (("frobnicate",), 2, "No such command 'frobnicate'"),
    (("--nope",), 2, "No such option: --nope"),
    (("submit",), 2, "Missing argument"),
    (("submit", "--dryrun", "s.json"), 2, "--dry-run"),
    (("submit", "s.json", "--processes", "x"), 2, "--processes"),
    (("submit", "s.json", "--processes", 0), 2, "--processes"),
    (("submit", "s.json", "--max-runs", 0), 2, "--max-runs"),
    (("submit", "s.json", "--max-runs", 5), 2, "at most 5"),
    (("submit", "s.json", "--more-seeds", 0), 2, "--more-seeds"),
    (("submit", "s.json", "--more-seeds", 10**12), 2, "1,000,000,000,000 more seeds"),
    (("submit", "s.json", "--set"), 2, "--set"),
    (("submit", "s.json", "--set", "epochs"), 2, "a setting is a path and a value (given: 'epochs')"),
    (("submit", "s.json", "--set", "=3"), 2, "a setting is a path and a value"),
    (("submit", "s.json", "--set", "training.epochs=ten"), 2, '"ten" is not a whole number (as set'),
    (("submit", "s.json", "--set", "training.epochs=NaN"), 2, "NaN is not a whole number"),
    (("submit", "s.json", "--set", "training.epochs=" + "[" * 5_000), 2, "nested too deep"),
    (("submit", "s.json", "--set", "training.epochs=" + "9" * 5_000), 2, "is not a whole number"),
    (("submit", "s.json", "--set", "training.epochs=" + "9" * 70_000), 2, "longer than 64 KiB"),
    (("submit", "s.json", "--set", "training.lerning_rate=3"), 2, "did you mean 'learning_rate'?"),
    (("submit", "s.json", "--set", "training..epochs=3"), 2, "joined by single dots"),
    (("submit", "s.json", "--set", "training.epochs.x=3"), 2, "training.epochs has no parts here"),
    (("submit", "s.json", "--set", "network.hidden.9=3"), 2, "entries 1 to 1, not 9"),
    (("submit", "s.json", "--set", "seeds.count=9", "--more-seeds", "2"), 2, "leave one of them out"),
    (("submit", "s.json", "--set", "network.hidden.99999999999999999999=3"), 2, "entries 1 to 1"),
    (("submit", "s.json", "--set", "loss=squared"), 2, "has no effect on loss, which varies in the sweep"),
    (("submit", "s.json", "--set", "seeds=1e400"), 2, "seeds: this is inf"),
    (("submit", "s.json", "--set", "name=\udcff"), 2, "name"),
    (("submit", "missing.json"), 2, "missing.json: there is no such file"),
    (("submit", "s.jsn"), 2, "did you mean 's.json'?"),
    (("submit", "s"), 2, "did you mean 's.json'?"),
    (("submit", "xro"), 2, "`bpsvc examples xor` copies"),
    (("submit", "vanishing.json"), 2, "`bpsvc examples vanishing` copies"),
    (("submit", "nope.json"), 2, "nope.json: there is no such file\n"),
    (("submit", "s\udcff.json"), 2, "there is no such file"),
    (("submit", "x" * 5_000), 2, "name too long"),
    (("submit", "a\0b.json"), 2, "null byte"),
    (("submit", "empty"), 2, "there is no spec (*.json) in the folder empty"),
    (("submit", "/dev/zero"), 2, "this is not a regular file"),
    (("submit", "fifo"), 2, "this is not a regular file"),
    (("submit", "socket"), 2, "cannot be read"),
    (("submit", "loop"), 2, "cannot be read"),
    (("submit", "s.json", "missing.json"), 2, "missing.json: there is no such file"),
    (("submit", "s.json/x"), 2, "cannot be read"),
    (("validate", "x" * 5_000), 2, "name too long"),
    (("gradcheck", "missing.json"), 2, "there is no such file"),
    (("gradcheck", "s.json", "--seed", 99), 2, "99"),
    (("trace", "missing.json"), 2, "there is no such file"),
    (("trace", "s.json", "--path", "9,9"), 2, "9"),
    (("trace", "s.json", "--path", "x"), 2, "x"),
    (("trace", "s.json", "--epoch", -1), 2, "--epoch"),
    (("examples", "xorr"), 2, "did you mean 'xor'?"),
    (("examples", "xor", "-o", "s.json"), 2, "s.json"),
    (("init", "s.json"), 2, "s.json"),
    (("init", "/proc/nope"), 2, "/proc/nope"),
    (("query", "SELECT 1", "--format", "xml"), 2, "'table', 'csv', 'json', 'markdown'"),
    (("query", "SELECT 1", "--timeout", "nan"), 2, "--timeout"),
    (("query", "SELECT 1", "--max-rows", -1), 2, "--max-rows"),
    (("query", "fastst"), 2, "did you mean 'fastest'?"),
    (("query", "fastest", "-p", "cuont=3"), 2, "did you mean 'count'?"),
    (("query", "SELECT :run", "-p", "run"), 2, "a parameter is a name and a value"),
    (("query", "SELECT 1", "-p", "run=1"), 2, "the query has no parameter 'run'"),
    (("schedule", "add", "s.json", "--cron", "61 * * * *"), 2, "0-59"),
    (("schedule", "add", "s.json", "--cron", "0 0 30 2 *"), 2, "never"),
    (("schedule", "add", "s.json", "--cron", "0 2 * * *", "-z", "Mars/Phobos"), 2, "Mars/Phobos"),
    (("schedule", "add", "s.json", "--cron", "0 2 * *"), 2, "five fields"),
    (("schedule", "add", "s.json", "--cron", "@daly"), 2, "@daly"),
    (("schedule", "add", "s.json", "--cron", "0 2 * * MOO"), 2, "MOO"),
    (("schedule", "add", "s.json", "--cron", "*/0 * * * *"), 2, "*/0"),
    (("schedule", "add", "s.json", "--cron", "0 2 * * *", "-z", "../../etc/passwd"), 2, "zone"),
    (("schedule", "add", "s.json", "--cron", "0 2 * * *", "--fresh", "data"), 2, "not read from a file"),
    (("schedule", "add", "s.json", "--cron", "0 2 * * *", "--name", "\x1b[2J"), 2, "line of printable text"),
    (("schedule", "add", "s.json"), 2, "--cron"),
    (("schedule", "preview", "--cron", "* * * * *", "-n", 10**9), 2, "-n"),
    (("status",), 4, "there is no store"),
    (("runs",), 4, "there is no store"),
    (("show", 1), 4, "there is no store"),
    (("report",), 4, "there is no store"),
    (("export",), 4, "there is no store"),
    (("worker",), 4, "there is no store"),
    (("rm", "xor", "--yes"), 4, "there is no store"),
    (("verify",), 4, "there is no store"),
    (("db", "info"), 4, "there is no store"),
    (("db", "upgrade"), 4, "there is no store"),
    (("db", "backup", "copy.db"), 4, "there is no store"),
    (("db", "merge", "other.db"), 4, "there is no store"),
]  # fmt: skip

# With a store that holds one experiment: tiny.
STORED: list[tuple[tuple[object, ...], int, str]] = [
    (("show", 99), 3, "6 runs, numbered 1 to 6"),
    (("show", 0), 3, "there is no run 0"),
    (("show", "1.5"), 3, "names no run"),
    (("show", ""), 3, "names no run"),
    (("show", "deadbeef"), 3, "no run's key begins with deadbeef"),
    (("show", "dead"), 3, "at least 8 hex digits"),
    (("show", "9" * 30), 3, "no run's key begins"),
    (("show", "١"), 3, "names no run"),
    (("show", "\udcff"), 3, "names no run"),
    (("show", "\x1b[2J"), 3, "names no run"),
    (("weights", "@first"), 3, "@last"),
    (("weights", 1), 3, "run 1 has not begun"),
    (("predict", 1), 3, "run 1 has not begun"),
    (("trace", 99), 3, "there is no run 99"),
    (("runs", "tinny"), 3, "did you mean 'tiny'?"),
    (("runs", "tiny@9"), 3, "did you mean 'tiny@1'?"),
    (("report", "tinny"), 3, "did you mean 'tiny'?"),
    (("report", "tiny", "--success", "loss<nan"), 2, "the bound is not a finite number (given: 'nan')"),
    (("report", "tiny", "--success", "loss>=-inf"), 2, "the bound is not a finite number (given: '-inf')"),
    (("report", "tiny", "--success", "loss<1e999"), 2, "the bound is not a finite number (given: '1e999')"),
    (("report", "tiny", "--success", "loss<low"), 2, "the bound is not a finite number (given: 'low')"),
    (("export", "tinny"), 3, "did you mean 'tiny'?"),
    (("verify", "tinny"), 3, "did you mean 'tiny'?"),
    (("verify", "--replay", 99), 3, "there is no run 99"),
    (("verify", "--replay-fraction", 2), 2, "2"),
    (("cancel", "tinny"), 3, "did you mean 'tiny'?"),
    (("rm", "tinny", "--yes"), 3, "did you mean 'tiny'?"),
    (("rm", "tiny"), 2, "say --yes if it is meant"),
    (("rm",), 2, "no experiment is named"),
    (("rm", "--older-than", "soon"), 2, "12h, 90d, 4w"),
    (("rm", "--older-than", "1e3d", "--yes"), 2, "an age is a number and h, d or w"),
    (("runs", "--limit", 0), 2, "--limit"),
    (("runs", "--limit", 10**30), 2, "--limit"),
    (("runs", "--where", "seed ="), 2, "SQL: "),
    (("runs", "--where", "sed = 1"), 2, "no such column: sed"),
    (("runs", "--where", "1) UNION SELECT 1 --"), 2, "SQL: "),
    (("runs", "--where", "1; DROP TABLE runs"), 2, "SQL: "),
    (("runs", "--where", "seed = 'x"), 2, "SQL: "),
    (("runs", "--where", "\0"), 2, "SQL: "),
    (("runs", "--sort", "sed"), 2, "no such column: sed"),
    (("runs", "--sort", "1; SELECT 2"), 2, "one SELECT at a time"),
    (("query", ""), 2, "a query begins with nothing"),
    (("query", "SELEC 1"), 2, "a query begins with SELEC"),
    (("query", "DROP TABLE runs"), 2, "only reading is allowed"),
    (("query", "SELECT 1; DROP TABLE _run"), 2, "one SELECT at a time"),
    (("query", "ATTACH 'new.db' AS new"), 2, "only reading is allowed"),
    (("query", "VACUUM INTO 'new.db'"), 2, "only reading is allowed"),
    (("query", "WITH x AS (SELECT 1) DELETE FROM _run"), 2, "only reading is allowed"),
    (("query", "SELECT * FROM rnus"), 2, "no such table: rnus"),
    (("query", "SELECT randomblob(1000000000)"), 2, "only reading is allowed"),
    (("query", "SELECT load_extension('x')"), 2, "only reading is allowed"),
    (("query", "SELECT " + "(" * 5_000 + "1" + ")" * 5_000), 2, "SQL: "),
    (("query", "SELECT 1\0"), 2, "null character"),
    (("query", "SELECT '\udcff'"), 2, "SQL: "),
    (("query", "SELECT :a"), 2, "set it: -p a=VALUE"),
    (("query", "SELECT ?"), 2, "write :name for ?"),
    (("query", "SELECT 1 LIMIT 'x'"), 2, "LIMIT and OFFSET take whole numbers"),
    (("query", "SELECT quantile(seed, 1.5) FROM runs"), 2, "between 0 and 1, not 1.5"),
    (("query", "SELECT quantile(seed, 'a') FROM runs"), 2, "a number between 0 and 1, not 'a'"),
    (("query", "SELECT max(seed), median(status) FROM runs"), 2, "x of median(x) is a number, not 'queued'"),
    (("query", "SELECT quantile(x'00', 0.5) FROM runs"), 2, "(x, q) is a number, not b'\\x00'"),
    (("query", "SELECT los FROM runs"), 2, "did you mean 'loss'?"),
    (("query", "fastest", "-p", "count=abc"), 2, "number (given: 'abc'); allowed: such as count=10"),
    (("query", "fastest", "-p", "count=1.5"), 2, "count is a whole number"),
    (("query", "first-epoch-below", "-p", "loss=low"), 2, "loss is a number (given: 'low')"),
    (("query", "success", "-p", "experiment=tinny"), 3, "there is no experiment 'tinny'"),
    (("query", "success", "-p", "experiment=tiny@9"), 3, "there is no experiment 'tiny@9'"),
    (("query", "SELECT :a", "-p", "a=[1]"), 2, "list"),
    (("query", "SELECT :a", "-p", f"a={10**30}"), 2, "too large"),
    (("query", "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c",
      "--timeout", 0.1), 2, "longer than 0.1 s"),
    (("query", "SELECT 1", "-o", "nowhere/x.csv"), 2, "nowhere/x.csv: No such file or directory"),
    (("query", "SELECT 1", "-o", "."), 2, "Is a directory"),
    (("query", "SELECT 1", "-o", "/dev/full"), 4, "bpsvc: /dev/full: No space left on device; make room"),
    (("db", "backup", "nowhere/copy.db"), 4, "nowhere"),
    (("db", "backup", "s.json"), 4, "s.json"),
    (("db", "merge", "s.json"), 4, "is not a SQLite database"),
    (("db", "merge", "other.db"), 4, "there is no store"),
    (("db", "merge", "bpsvc.db"), 4, "cannot be merged with itself"),
    (("schedule", "show", "nightly"), 3, "nightly"),
    (("submit", "tiny2.json"), 2, "there is no such file"),
    (("query", "SELECT * FROM run"), 2, "did you mean 'runs'?"),
    (("query", "SELECT los FROM epochs"), 2, "did you mean 'loss'?"),
    (("query", "SELECT e.activaton FROM epochs e JOIN runs"), 2, "did you mean 'activation'?"),
    (("query", "SELECT activation FROM epochs"), 2, "runs, results have it"),
    (("query", "SELECT nonsense FROM epochs"), 2, "allowed: of epochs: run_id, epoch, loss"),
    (("query", "SELECT avgg(loss) FROM epochs"), 2, "did you mean 'avg'?"),
    (("query", "SELCT 1"), 2, "did you mean 'SELECT'?"),
    (("query", "nope"), 2, "there is no canned query called 'nope'"),
]  # fmt: skip


def digests() -> dict[str, bytes]:
    """Everything below the folder but what SQLite keeps beside a store, and the content of the store."""
    files = {
        str(path): path.read_bytes()
        for path in Path().rglob("*")
        if path.is_file() and "bpsvc.db" not in str(path)
    }
    if Path("bpsvc.db").is_file():
        with sqlite3.connect("file:bpsvc.db?mode=ro", uri=True) as db:
            files["bpsvc.db"] = "\n".join(db.iterdump()).encode()
        db.close()
    return files


def refused(bpsvc: Bpsvc, *arguments: object, code: int = 2, said: str) -> Ran:
    """A command is refused before it has computed for long, with short words, and changes nothing."""
    before, began = digests(), time.process_time()
    ran = bpsvc(*arguments)
    assert time.process_time() - began < 20, "what is listed or trained first takes minutes"
    assert ran.code == code, ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err and ran.out == ""
    assert len(ran.err) < 6_000
    assert all(c == "\n" or c.isprintable() for c in ran.err)
    assert digests() == before
    return ran


@pytest.mark.parametrize("case", TEXTS)
def test_bad_specs(bpsvc: Bpsvc, case: str) -> None:
    text, said = TEXTS[case]
    Path("s.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(bpsvc, "submit", "s.json", "--processes", 1, said=said)
    told = bpsvc("validate", "--json", "s.json")
    assert told.code == 2
    assert told.json["valid"] is False and all(one["what"] for one in told.json["findings"])


@pytest.mark.parametrize("case", TABLES)
def test_bad_tables(bpsvc: Bpsvc, case: str) -> None:
    text, said = TABLES[case]
    Path("t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    Path("s.json").write_text(written(data=CSV))
    refused(bpsvc, "submit", "s.json", "--processes", 1, said=said)


@pytest.fixture
def odd_places(bpsvc: Bpsvc) -> Iterator[None]:
    """A valid spec among things that are none."""
    Path("s.json").write_text(json.dumps(TINY))
    Path("empty").mkdir()
    Path("loop").symlink_to("loop")
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("socket")
        yield


@pytest.mark.parametrize(("arguments", "code", "said"), COMMANDS)
@pytest.mark.usefixtures("odd_places")
def test_bad_commands(bpsvc: Bpsvc, arguments: tuple[object, ...], code: int, said: str) -> None:
    refused(bpsvc, *arguments, code=code, said=said)
    assert not Path("bpsvc.db").exists()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store with six runs of one experiment that wait."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "tiny.json").write_text(json.dumps(TINY))
    with Store(folder / "bpsvc.db", mode="create") as store:
        submitting.submit(store, describing.read([folder / "tiny.json"]))
    return (folder / "bpsvc.db").read_bytes()


@pytest.mark.parametrize(("arguments", "code", "said"), STORED)
def test_bad_questions(
    bpsvc: Bpsvc, stored: bytes, arguments: tuple[object, ...], code: int, said: str
) -> None:
    Path("bpsvc.db").write_bytes(stored)
    Path("s.json").write_text(json.dumps(TINY))
    refused(bpsvc, *arguments, code=code, said=said)


def folder(path: Path) -> None:
    path.mkdir()


def text(path: Path) -> None:
    path.write_text("Dear diary, this is more than a hundred bytes of text and no database. " * 3)


def short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE songs (title TEXT)")
    db.close()


def newer(path: Path) -> None:
    with Store(path, mode="create"):
        pass
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9999")
    db.close()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def dangling(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    "command", [("status",), ("submit", "s.json", "--processes", 1), ("query", "SELECT 1")]
)
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (folder, "is a folder, not a store"),
        (text, "is not a SQLite database"),
        (short, "is not a SQLite database"),
        (foreign, "is a SQLite database of another program"),
        (newer, "was written by a newer bpsvc"),
        (fifo, "is not an ordinary file"),
        (dangling, "symbolic links"),
    ],
)
def test_what_is_no_store(
    bpsvc: Bpsvc, monkeypatch: pytest.MonkeyPatch, make: Any, said: str, command: tuple[object, ...]
) -> None:
    path = Path("other.db")
    make(path)
    Path("s.json").write_text(json.dumps(TINY))
    monkeypatch.setenv("BPSVC_DB", "other.db")
    refused(bpsvc, *command, code=4, said=said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere/bpsvc.db", "nowhere"),
        ("x" * 300 + ".db", "name too long"),
        ("~nobody9/x.db", "in the home of nobody here"),
        ("postgresql://user:secret@host/db", "stores in postgresql are not supported"),
        ("mysql://", "not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///x.db?mode=memory", "has options"),
        ("://", "the URL of the store is not one"),
        ("/dev/zero", "is not an ordinary file"),
        ("/", "is a folder, not a store"),
    ],
)
def test_names_that_are_no_stores(
    bpsvc: Bpsvc, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    Path("s.json").write_text(json.dumps(TINY))
    monkeypatch.setenv("BPSVC_DB", name)
    assert "secret" not in refused(bpsvc, "submit", "s.json", "--processes", 1, code=4, said=said).err


def test_a_store_that_is_named_by_nothing(bpsvc: Bpsvc) -> None:
    Path("s.json").write_text(json.dumps(TINY))
    refused(bpsvc, "submit", "s.json", "--db", "", code=4, said="the name of the store is empty")


def test_an_ambiguous_key(bpsvc: Bpsvc, stored: bytes) -> None:
    Path("bpsvc.db").write_bytes(stored)
    with sqlite3.connect("bpsvc.db") as db:
        db.execute("UPDATE _run SET key = 'deadbeef' || substr(key, 9) WHERE id < 3")
    db.close()
    assert "(run 2)" in refused(bpsvc, "show", "deadbeef", code=3, said="several runs' keys").err


def test_two_bad_specs_of_three_store_nothing(bpsvc: Bpsvc) -> None:
    Path("a.json").write_text(json.dumps(TINY))
    Path("b.json").write_text(json.dumps({**TINY, "init": "xavier"}))
    refused(bpsvc, "submit", "a.json", "b.json", said="glorot_uniform")
    assert not Path("bpsvc.db").exists()


def test_findings_begin_with_their_place_and_all_else_with_our_name(bpsvc: Bpsvc) -> None:
    Path("wrong.json").write_text(json.dumps({**TINY, "data": "xorr", "los": "squared"}))
    Path("rows.csv").write_text("x1,x2,y\n0,0,0\n1,1,1\n")
    table = {"source": "csv", "path": "rows.csv", "target": "y"}
    Path("table.json").write_text(json.dumps({**TINY, "data": table, "sweep": None}))
    for command in ("validate", "submit"):
        begun = [block.split(":")[:2] for block in bpsvc(command, "wrong.json").err.split("\n\n")]
        assert begun == [["wrong.json", "1"], ["wrong.json", "1"]]
    assert bpsvc("show", "1").err.startswith("bpsvc: there is no store")
    assert bpsvc("submit", "table.json", "--processes", 1).code == 0
    Path("new.csv").write_text("x1,x2\n0,0\n1,a\n")
    assert bpsvc("predict", 1, "new.csv").err.startswith("new.csv:3:3: ")
    assert bpsvc("predict", 99).err.startswith("bpsvc: there is no run")


def test_a_changed_file_is_other_data_and_the_next_revision(bpsvc: Bpsvc) -> None:
    Path("s.json").write_text(written(data=CSV))
    for table, revision in (("a,y\n1,0\n2,1\n", 1), ("a,y\n1,1\n2,0\n", 2)):
        Path("t.csv").write_text(table)
        ran = bpsvc("submit", "s.json", "--detach")
        assert ran.code == 0
        assert f"tiny@{revision}: 3 new runs" in ran.err


def test_a_hidden_step_is_warned_of_and_allowed(bpsvc: Bpsvc) -> None:
    Path("s.json").write_text(written(**network(activation="binary_step")))
    ran = bpsvc("validate", "s.json")
    assert ran.code == 0
    assert "the derivative of binary_step is 0 everywhere" in ran.err


def test_a_bug_is_one_line_and_a_file(bpsvc: Bpsvc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A store whose content no bpsvc would write stands for what nobody thought of."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Store("bpsvc.db", mode="create"):
        pass
    Path("s.json").write_text(json.dumps(TINY))
    assert bpsvc("submit", "s.json", "--detach").code == 0
    with sqlite3.connect("bpsvc.db") as db:
        db.execute("UPDATE _recipe SET spec = '{}'")
    db.close()
    ran = bpsvc("trace", 1, "--epoch", 0)
    assert ran.code == 70
    assert len(ran.err.splitlines()) == 1 and "a bug of ours" in ran.err
    (report,) = tmp_path.glob("bpsvc-bug-*.txt")
    assert str(report) in ran.err
    assert report.read_text().startswith("bpsvc trace 1 --epoch 0\n")
