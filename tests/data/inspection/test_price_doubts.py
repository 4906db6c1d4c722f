"""Prices beside prices: labels, open and close, another unit."""

import pytest

TIME = {"column": "t", "unit": "s", "label": "start", "step": "1h"}


def wrong(found):
    return [f"{told.kind}: {told.text}" for _, told in found.doubts("wrong")]


def doubted(found):
    return [f"{told.kind}: {told.text}" for _, told in found.doubts("doubt")]


def test_a_start_declared_an_end_is_look_ahead(check, flow_source, flows):
    inside = flows.iloc[5:-5]
    source = flow_source({"index": "price"}, time=TIME | {"label": "end"})

    (text,) = wrong(check(source, tables={"flows.csv": inside}))

    assert "'index' moves as the close of 'klines' does 1h later" in text
    assert "a start declared an end, which is look-ahead" in text


def test_an_end_declared_a_start_is_late(check, flow_source, flows):
    inside = flows.iloc[5:-5].assign(t=flows["t"] + 3_600)
    source = flow_source({"mark": "price"})

    (text,) = wrong(check(source, tables={"flows.csv": inside}))

    assert "1h earlier" in text
    assert "an end declared a start, which is late" in text


@pytest.mark.parametrize("label", ["start", "end"])
def test_the_right_label_is_not_doubted(check, flow_source, flows, label):
    inside = flows.iloc[5:-5].assign(t=flows["t"] + (3_600 if label == "end" else 0))
    source = flow_source({"mark": "price"}, time=TIME | {"label": label})

    assert wrong(check(source, tables={"flows.csv": inside})) == []


def test_swapped_open_and_close_are_found(check, bars):
    swapped = bars.rename(columns={"open": "close", "close": "open"})

    assert wrong(check()) == []
    assert "are swapped" in wrong(check(tables={"klines.csv": swapped}))[0]


def test_bars_that_do_not_join_are_doubted(check, bars):
    bars["open"] = bars["open"].iloc[::-1].to_numpy()
    bars["high"] = bars[["open", "high", "close"]].max(axis=1)
    bars["low"] = bars[["open", "low", "close"]].min(axis=1)

    assert "another step, or averages?" in doubted(check(tables={"klines.csv": bars}))[0]


@pytest.mark.parametrize("factor", [1.0, 1.01, 1_000.0, 0.01])
def test_another_level_is_doubted(check, flow_source, flows, factor):
    table = flows.assign(price=flows["price"] * factor)
    found = doubted(check(flow_source({"mark": "price"}), tables={"flows.csv": table}))

    assert len(found) == (factor not in (1.0, 1.01))
    assert all("price level" in text for text in found)


def test_too_few_rows_conclude_nothing(check, flow_source, flows):
    source = flow_source({"index": "price"}, time=TIME | {"label": "end"})

    assert wrong(check(source, tables={"flows.csv": flows.iloc[5:60]})) == []
