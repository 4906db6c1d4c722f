from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from liqwarn.sources.tally import FetchState, Tally


def test_counts_of_many_workers_add_up_and_never_go_back():
    told = []
    tally = Tally(told.append)

    def work(_):
        tally.more(1)
        tally.came(3)
        tally.settled()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(500)))

    assert told[-1] == FetchState(done=500, total=500, size=1_500)
    sizes = [(state.done, state.total, state.size) for state in told]
    assert all(a <= b for before, after in pairwise(sizes)
               for a, b in zip(before, after, strict=True))  # fmt: skip
