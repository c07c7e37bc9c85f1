/// SHA-256's compression function (FIPS 180-4, section 6.2.2) by the processor's own instructions.
///
/// One stream waits for itself: each step needs the one before. Two streams that have nothing to do with
/// each other fill each other's gaps, and go nearly twice as fast together as one after the other.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor has the instructions; without them the functions below must not be called.
bool fti_sha256_supported(void);

/// Takes `blocks` blocks of 64 bytes into a chaining value of eight words.
void fti_sha256_compress(uint32_t *state, const uint8_t *bytes, size_t blocks);

/// The same for two streams at once, `blocks` blocks of each.
void fti_sha256_compress_pair(uint32_t *first_state, const uint8_t *first_bytes,
                              uint32_t *second_state, const uint8_t *second_bytes,
                              size_t blocks);
