from dataclasses import replace
from datetime import datetime

import pytest

from liqwarn.errors import FrameError
from liqwarn.reports.content import ReportMeta


def test_a_missing_column_is_named(content):
    with pytest.raises(FrameError, match=r"scores lack columns \['p_4h'\]"):
        replace(content, scores=content.scores.drop(columns="p_4h"))


def test_a_missing_event_column_is_named(content):
    with pytest.raises(FrameError, match=r"events lack columns \['onset'\]"):
        replace(content, events=content.events.drop(columns="onset"))


def test_the_moment_of_the_report_needs_a_timezone():
    with pytest.raises(FrameError, match="without a timezone"):
        ReportMeta(
            panel="p",
            market="real",
            generated_at=datetime(2024, 1, 1),  # noqa: DTZ001 - the point of the test
            version="0.1.0",
        )
