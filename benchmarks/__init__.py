"""What ``./dev bench`` measures: one module a subject, each beside a floor and a peer in the same run."""
