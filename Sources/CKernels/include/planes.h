/// Byte planes: in fixed-width numbers, all bytes of one significance make a plane.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Splits `count` numbers of `width` bytes (2 or 4) into `width` planes of `count` bytes each: plane p
/// holds byte p of every number. `planes` must not overlap `numbers`.
void fti_split_planes(const uint8_t *numbers, size_t count, int width, uint8_t *planes);

/// The inverse of `fti_split_planes`; the `width` planes may lie anywhere.
void fti_join_planes(const uint8_t *const *planes, size_t count, int width, uint8_t *numbers);

/// Counts byte values by position modulo 4 over at most `samples` evenly spaced groups of four bytes. Overwrites the
/// 1024 counters of `histogram`: 256 for each position.
void fti_lane_histogram(const uint8_t *bytes, size_t count, size_t samples, uint32_t *histogram);
