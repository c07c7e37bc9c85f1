"""One module for each question. Each has `run(bench)`, which measures and says with `bench.line` what must hold."""

#: The questions in the order in which they are asked.
ALL = ["history", "long_life", "trust", "moves", "model", "small_files", "rows", "delta", "diff", "scan", "search", "retrieval", "codec", "memory", "space"]
