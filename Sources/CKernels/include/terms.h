/// A filter for a small set of 32-bit terms: two tables of 256 bits, by the terms' lowest and next 8 bits.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Both tables are zero for the empty set. Terms must be well distributed, as hashes are.
struct fti_term_filter {
    uint32_t low[8], next[8];
};

/// Adds a term to the set.
void fti_term_filter_add(struct fti_term_filter *filter, uint32_t term);

/// Writes the indexes of the terms that may be in the set, in ascending order, and returns their number. Selects every
/// term of the set; for a set of n terms, n^2 in 65,536 other terms are selected as well.
size_t fti_term_filter_select(const struct fti_term_filter *filter, const uint32_t *terms, size_t count,
                              uint32_t *selected);

/// The same result with baseline instructions only; tests compare the two.
size_t fti_term_filter_select_portable(const struct fti_term_filter *filter, const uint32_t *terms,
                                       size_t count, uint32_t *selected);
