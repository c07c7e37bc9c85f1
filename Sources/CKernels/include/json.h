/// The two hot loops of reading JSON Lines.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The list has more numbers than `out` has room for.
#define FTI_LIST_TOO_LONG (-2)

/// Reads a list of JSON numbers (RFC 8259) as fp32, each rounded once, to nearest and ties to even.
///
/// `start` is the offset after the list's `[`. Returns how many numbers the list has and sets `end` to the offset after
/// the `]`, or returns FTI_LIST_TOO_LONG. Returns -1 for text that the caller must read in another way: anything but a
/// list of numbers, an empty list, and a list with a number beyond the normal fp32 range or so close to the middle
/// between two fp32 numbers that a double cannot decide the rounding (one in 30 million). `out` has room for `capacity`
/// numbers; its contents are undefined unless the list was read.
ptrdiff_t fti_read_floats(const uint8_t *text, size_t size, size_t start, float *out,
                          size_t capacity, size_t *end);

/// The same result with baseline instructions only; tests compare the two.
ptrdiff_t fti_read_floats_portable(const uint8_t *text, size_t size, size_t start, float *out,
                                   size_t capacity, size_t *end);

/// The offset of the first quote, backslash or control character at or after `start`, or `size`. Sets the highest bit
/// of `seen` when a byte from `start` up to that offset is not ASCII; otherwise `seen` stays as it is.
size_t fti_plain_text_end(const uint8_t *text, size_t size, size_t start, uint8_t *seen);

/// The same result one byte at a time; tests compare the two.
size_t fti_plain_text_end_portable(const uint8_t *text, size_t size, size_t start, uint8_t *seen);
