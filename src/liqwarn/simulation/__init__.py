"""An embedded simulated market: leveraged cohorts on a log-price grid, cascades from within."""
