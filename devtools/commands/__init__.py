"""The commands of ./dev: each is a module with ``main(args)``, which returns the exit code."""
