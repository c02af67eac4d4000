"""The code behind ``./dev``. It uses only the standard library, because it runs before anything is installed."""
