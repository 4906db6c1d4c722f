"""The flag board: a fixed-layout mapped file that any process on the host reads without a call."""
