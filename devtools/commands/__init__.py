"""The commands of ./dev, one module each with main(args) -> exit code."""
