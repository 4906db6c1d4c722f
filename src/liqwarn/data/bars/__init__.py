"""How closing bars come into the live loop: messages, their border, closed columns, the journal."""
