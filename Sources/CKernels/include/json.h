/// The two loops that reading JSON Lines spends its time in.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The list holds more numbers than there is room for.
#define FTI_LIST_TOO_LONG (-2)

/// Reads a list of JSON numbers (RFC 8259) as fp32, each rounded once, to nearest and ties to even.
///
/// `start` is the offset behind the list's `[`. Returns the count of numbers and sets `end` behind the `]`; -1
/// for everything that takes more care: what is no list of numbers, an empty list, a number beyond
/// the normal fp32 range, and one so close to the middle between two fp32 numbers that a double
/// does not tell them apart (one in 30 million); or FTI_LIST_TOO_LONG. `out` has room for `capacity` numbers, and what
/// it holds is undefined unless the list was read.
ptrdiff_t fti_read_floats(const uint8_t *text, size_t size, size_t start, float *out,
                          size_t capacity, size_t *end);

/// The same result without vector instructions; tests compare the two.
ptrdiff_t fti_read_floats_portable(const uint8_t *text, size_t size, size_t start, float *out,
                                   size_t capacity, size_t *end);

/// The offset of the first quote, backslash or control character from `start` on, or `size`. Sets the highest
/// bit of `seen` when a byte before it is not ASCII, and else leaves it.
size_t fti_plain_text_end(const uint8_t *text, size_t size, size_t start, uint8_t *seen);

/// The same result one byte at a time; tests compare the two.
size_t fti_plain_text_end_portable(const uint8_t *text, size_t size, size_t start, uint8_t *seen);
