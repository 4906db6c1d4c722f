"""Looking at a panel's files before they are read into a store: what they say, and every doubt."""
