"""One file a command: HELP, arguments(parser), run(args) → exit code. Commands import what is heavy when they run."""
