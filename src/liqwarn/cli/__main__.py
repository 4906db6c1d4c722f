"""``python -m liqwarn.cli``: the same as ``liqwarn``, by the very interpreter that runs already."""

from liqwarn.cli import main

if __name__ == "__main__":
    main()
