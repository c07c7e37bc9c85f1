"""One module per question. Each has `run(bench)`, which measures and states with `bench.line` what must hold."""

#: The questions, in order.
ALL = ["history", "long_life", "trust", "moves", "model", "small_files", "rows", "delta", "diff", "scan", "search", "retrieval", "codec", "memory", "space"]
