from liqwarn.data.summary import FileSummary, IngestSummary


def file_of(name, **counts):
    none = dict.fromkeys(("rows", "other", "new", "unchanged", "replaced", "duplicates", "empty",
                          "missing", "gaps"), 0)  # fmt: skip
    return FileSummary(source="s", file=name, **{"quarantined": {}, **none, **counts})


def test_counts_add_up_over_files_and_go_to_json():
    summary = IngestSummary(
        panel="p",
        files=(
            file_of("a", rows=3, new=2, quarantined={"zero price": 1}),
            file_of("b", rows=4, new=2, quarantined={"zero price": 1, "infinite": 1}),
        ),
    )

    assert summary.total("new") == 4
    assert summary.quarantined == {"infinite": 1, "zero price": 2}
    plain = summary.to_dict()
    assert plain["rows"] == 7
    assert plain["files"][1]["file"] == "b"


def test_a_source_of_many_files_is_one_line():
    many = tuple(file_of(f"{n}.zip", rows=2, new=1, gaps=1) for n in range(31))

    assert IngestSummary(panel="p", files=many[:30]).to_text().count("\n") == 30
    assert IngestSummary(panel="p", files=many).to_text().splitlines() == [
        "s: 31 files: 62 rows, 31 new, 0 unchanged, 31 steps missing",
        "p: 62 rows read, 31 new",
    ]
