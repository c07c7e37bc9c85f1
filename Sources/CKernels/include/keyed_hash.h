/// A keyed hash of blocks that shows whether bytes have changed since they were verified. Without the key, nobody can
/// make other bytes with the same sums.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The number of bytes in a block.
#define FTI_KEYED_BLOCK 1024

/// Writes two words for each of `blocks` blocks, the lower word first: the sum, modulo 2^128, of (m[2i] + key[2i])
/// (m[2i+1] + key[2i+1]) over the block's 128 little-endian words m. The additions in parentheses are modulo 2^64.
///
/// This is NH with words of 64 bits (Black, Halevi, Krawczyk, Krovetz and Rogaway, "UMAC", 1999; Krovetz and Dai,
/// "VHASH", 2007): for a random key of 128 words, two blocks that differ have the same sum with a probability of 2^-64
/// at most.
void fti_keyed_sums(const void *bytes, size_t blocks, const uint64_t *key, uint64_t *sums);
