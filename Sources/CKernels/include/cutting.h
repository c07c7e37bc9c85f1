/// Content-defined cutting into pieces: a two-stage test of the 32 bytes before each position.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The length of the first piece of `bytes[0..count)`.
///
/// `minimum` must be at least 32, and `count` at least `maximum` unless the input ends there. The piece ends before the
/// first position i, `minimum` <= i < `maximum`, for which the bytes b meet both tests:
///   b[i-4] + 3 b[i-3] + 5 b[i-2] + 9 b[i-1] == 0xA5 (mod 256), and
///   hash(b[i-32..i)) <= (2^64 - 1) >> k,
/// with k = max(0, floor(log2(average)) - 10) from `average` on, and 4 more before it. Without such a position, the
/// piece ends at `maximum` or at the end of the input.
size_t fti_cut_length(const uint8_t *bytes, size_t count, size_t minimum, size_t average,
                        size_t maximum);

/// The same result with baseline instructions only; tests compare the two.
size_t fti_cut_length_portable(const uint8_t *bytes, size_t count, size_t minimum,
                                 size_t average, size_t maximum);
