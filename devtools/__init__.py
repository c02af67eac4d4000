"""What stands behind ``./dev``; standard library only, for it runs before anything is installed."""
