"""Folds are kept from run to run, and no more of them than the last runs used."""

from liqwarn.pipelines.retrain_folds import KEPT_RUNS, fold_names, folds_of, prune


def folds(home, *used):
    store = folds_of(home, "demo")
    store.folder.mkdir(parents=True, exist_ok=True)
    for name in used:
        (store.folder / f"{name}.npz").write_bytes(b"")
    store.used = list(used)
    return store


def test_what_no_recent_run_used_goes(tmp_path):
    assert prune(folds(tmp_path, "shared", "open-0"), "run 0") == 0
    for k in range(1, KEPT_RUNS):
        assert prune(folds(tmp_path, "shared", f"open-{k}"), f"run {k}") == 0

    gone = prune(folds(tmp_path, "shared", "open-9"), "run 9")

    assert gone == 1
    left = fold_names(folds_of(tmp_path, "demo"))
    assert left == {"shared", "open-9", *(f"open-{k}" for k in range(1, KEPT_RUNS))}


def test_the_same_run_again_counts_once_and_a_damaged_list_is_begun_anew(tmp_path):
    for _ in range(KEPT_RUNS + 1):
        prune(folds(tmp_path, "a"), "same")
    assert prune(folds(tmp_path, "b"), "next") == 0

    (tmp_path / "folds" / "demo" / "used.json").write_bytes(b"{")

    assert prune(folds(tmp_path, "b"), "next") == 1
    assert fold_names(folds_of(tmp_path, "demo")) == {"b"}


def test_a_walk_that_used_nothing_prunes_nothing(tmp_path):
    store = folds(tmp_path, "a")
    store.used = []

    assert prune(store, "run") == 0
    assert fold_names(store) == {"a"}
