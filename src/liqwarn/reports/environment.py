"""How templates become pages: every text from outside is escaped, a missing name is an error."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["environment"]


@cache
def environment() -> Environment:
    """The environment of every page, made once."""
    return Environment(
        loader=PackageLoader("liqwarn.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
