"""The reader in an execution system: may this side of this symbol take new risk, now."""
