"""Live feeds of venues: what their sockets say, recorded as it comes and turned into tables."""
