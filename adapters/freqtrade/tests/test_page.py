"""The page holds the figures that the runs give."""

from runs import FOLDER, table

PAGE = FOLDER.parents[1] / "docs" / "adapters.md"


def test_the_table_in_the_docs_is_what_the_runs_give(datadir):
    page = PAGE.read_text()
    missing = [line for line in table(datadir) if line not in page]
    assert missing == []
