"""One new bar: the functions of the batch, applied to the tail of the history."""
