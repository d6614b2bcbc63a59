"""Data: generators, CSV and NPZ files, inline arrays; encoding, splitting, scaling. numpy and the standard
library only.
"""

from bpsvc.data.csv_file import read_csv, read_rows
from bpsvc.data.dataset import Dataset
from bpsvc.data.encoding import default_output, encode, output_width
from bpsvc.data.inline import from_arrays
from bpsvc.data.npz_file import read_npz
from bpsvc.data.preparing import Prepared, prepare
from bpsvc.data.scaling import Scaling
from bpsvc.data.source import Source
from bpsvc.data.sources import SOURCES
from bpsvc.data.splitting import Split

__all__ = [
    "SOURCES",
    "Dataset",
    "Prepared",
    "Scaling",
    "Source",
    "Split",
    "default_output",
    "encode",
    "from_arrays",
    "output_width",
    "prepare",
    "read_csv",
    "read_npz",
    "read_rows",
]
