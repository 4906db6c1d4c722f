"""The progress protocol."""

from liqwarn.pipelines.progress import OnProgress, silent


def test_silence_says_nothing(capsys):
    tell: OnProgress = silent

    assert tell("train", 0, 1) is None
    assert capsys.readouterr() == ("", "")
