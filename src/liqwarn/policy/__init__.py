"""The circuit breaker: a policy file, a pure fold from scores to restrictions, its audit log.

`ladder` reads a policy; `book.step_book` and `history.fold` decide; `flags` publishes, and says
what an expired flag means; `overrides` is what humans may do; `audit` keeps every decision. All but
`audit` are pure: no I/O, no clock.
"""
