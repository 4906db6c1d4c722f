"""The map's picture beside a scoring: drawn for the leader, shown by the report, never stale."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.pipelines.map_picture import MAP_PICTURE, draw_leader_map


@pytest.fixture(scope="module")
def drawn(study, tmp_path_factory):
    return draw_leader_map(study, tmp_path_factory.mktemp("picture"))


def test_it_is_a_picture_where_the_report_looks_for_it(drawn):
    assert drawn.name == MAP_PICTURE
    assert drawn.read_bytes().startswith(b"\x89PNG")


def test_the_same_study_gives_the_same_bytes(drawn, study, tmp_path):
    assert draw_leader_map(study, tmp_path).read_bytes() == drawn.read_bytes()


def test_without_open_interest_the_old_picture_goes(study, tmp_path):
    (tmp_path / MAP_PICTURE).write_bytes(b"of another market")
    frame = study.market.frame
    nothing = np.full(frame.shape, np.nan)
    bare = replace(study.market, frame=frame.joined({"open_interest": nothing}))

    assert draw_leader_map(replace(study, market=bare), tmp_path) is None
    assert not (tmp_path / MAP_PICTURE).exists()
