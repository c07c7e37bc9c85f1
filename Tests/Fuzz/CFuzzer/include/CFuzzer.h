#include <stddef.h>
#include <stdint.h>

/// libFuzzer, which the compiler links when it is given -sanitize=fuzzer.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run)(const uint8_t *data, size_t size));
