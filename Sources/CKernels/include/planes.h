/// Byte planes: bytes of equal significance of fixed-width numbers, brought together.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Splits `count` numbers of `width` bytes (2 or 4) into `width` planes of `count` bytes each: plane p
/// holds byte p of every number. `planes` must not overlap `numbers`.
void fti_split_planes(const uint8_t *numbers, size_t count, int width, uint8_t *planes);

/// The inverse of `fti_split_planes`, of `width` planes that lie anywhere.
void fti_join_planes(const uint8_t *const *planes, size_t count, int width, uint8_t *numbers);

/// Counts byte values by position modulo 4 over at most `samples` evenly spaced groups of four bytes.
/// `histogram` has 4 x 256 counters, lane-major, which are overwritten.
void fti_lane_histogram(const uint8_t *bytes, size_t count, size_t samples, uint32_t *histogram);
