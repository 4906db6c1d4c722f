"""Tables as files: written whole, read without threads.

Arrow's threads may release a buffer of Python's while the interpreter ends, and abort the process
after its work was done; one thread is quick enough for tables of this size.
"""

from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow.parquet as pq

from liqwarn.durable import replace_file
from liqwarn.errors import ConfigError

__all__ = ["read_table", "write_table"]


def read_table(source: Path | BinaryIO) -> pd.DataFrame:
    """A parquet file as a table; its page checksums are verified."""
    with pq.ParquetFile(source, pre_buffer=False, page_checksum_verification=True) as file:
        table: pd.DataFrame = file.read(use_threads=False).to_pandas(use_threads=False)
    return table


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Put a table at `path`, whole, as parquet or CSV by its suffix.

    Raises
    ------
    ConfigError
        For any other suffix.
    """
    if path.suffix == ".parquet":
        replace_file(path, lambda p: table.to_parquet(p, index=False, write_page_checksum=True))
    elif path.suffix == ".csv":
        replace_file(path, lambda p: table.to_csv(p, index=False, date_format="%Y-%m-%dT%H:%M:%SZ"))
    else:
        raise ConfigError(f"{path} ends with '{path.suffix}', expected .parquet or .csv")
