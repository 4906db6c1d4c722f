"""Batch composers: each module joins the pure pieces into one job, and does its I/O."""
