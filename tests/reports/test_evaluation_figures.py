from liqwarn.reports.charts import save_figure
from liqwarn.reports.evaluation_figures import evaluation_figures


def test_every_figure_can_be_written(document, tmp_path):
    figures = evaluation_figures(document)

    assert sorted(figures) == [
        "molchan.png", "pr_auc_long.png", "pr_auc_short.png", "recall.png", "reliability.png",
    ]  # fmt: skip
    for name, figure in figures.items():
        save_figure(figure, tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1_000


def test_the_forest_holds_every_model_and_recall_liqwarn_and_har(document):
    figures = evaluation_figures(document)
    labels = [text.get_text() for text in figures["pr_auc_long.png"].axes[0].get_yticklabels()]

    assert labels[0] == "liqwarn"
    assert len(labels) == 8
    drawn = {line.get_label() for line in figures["recall.png"].axes[0].lines}
    assert drawn == {"long liqwarn", "long B2", "short liqwarn", "short B2"}


def test_without_figures_there_are_no_files():
    row = {"side": "long", "horizon_h": 4, "model": "liqwarn", "pr_auc": None}

    assert evaluation_figures({"results": [row]}) == {}
