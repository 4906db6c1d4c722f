"""Provider files in, market frames out: panels, readers, checks, the store and the as-of join."""
