"""docs/deployment.md is executed as printed: here on a cheap root, by tests/bench/deployment.py on
a bare Debian."""
