"""Room 2: what comes in and what goes out. Shapes and checks, no I/O."""
