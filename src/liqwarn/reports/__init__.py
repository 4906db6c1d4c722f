"""Charts and pages: what people read of a run.

- :mod:`liqwarn.reports.page` – the one-file HTML report (``report.html``).
- :mod:`liqwarn.reports.evaluation_page` – the readable evaluation (``evaluation.md``).
- :mod:`liqwarn.reports.charts` – recall, reliability, Molchan and forest figures as PNG or SVG.
- :mod:`liqwarn.reports.console` – the table of flags for the terminal.

Nothing here decides anything: it shows what scoring, policy and evaluation wrote. A number that is
not there is shown as ``–``, never as 0.
"""
