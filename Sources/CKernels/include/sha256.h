/// SHA-256's compression function (FIPS 180-4, section 6.2.2) with the processor's SHA instructions.
///
/// Each step of a stream needs the result of the step before, so one stream leaves the processor waiting. Two
/// independent streams fill each other's gaps, and take little more time together than one alone.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor has the instructions; without them the functions below must not be called.
bool fti_sha256_supported(void);

/// Updates the chaining value `state`, eight words, with `blocks` blocks of 64 bytes.
void fti_sha256_compress(uint32_t *state, const uint8_t *bytes, size_t blocks);

/// The same for two streams at once, with `blocks` blocks each.
void fti_sha256_compress_pair(uint32_t *first_state, const uint8_t *first_bytes,
                              uint32_t *second_state, const uint8_t *second_bytes,
                              size_t blocks);
