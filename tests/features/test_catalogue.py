"""The catalogue of features and the page made from it."""

from datetime import timedelta
from pathlib import Path

from liqwarn.features.builder import all_features
from liqwarn.features.catalogue import describe, features_markdown

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
MAKE = (
    'docs/features.md is stale; make it with: python -c "from pathlib import Path; '
    "from liqwarn.features.catalogue import features_markdown as page; "
    "Path('docs/features.md').write_text(page(), encoding='utf-8')\""
)


def test_the_page_is_what_the_features_say():
    assert PAGE.read_text(encoding="utf-8") == features_markdown(), MAKE


def test_every_feature_is_in_the_table_with_what_it_needs():
    entries = {entry.name: entry for entry in describe(timedelta(minutes=30))}

    assert list(entries) == [feature.name for feature in all_features()]
    assert entries["price_return_4h"].lookback_bars == 9
    assert entries["oi_z_7d"].inputs == ("open_interest",)
    assert entries["oi_z_7d"].unit == "standard deviations"
    assert entries["oi_z_7d"].family == "open_interest"
