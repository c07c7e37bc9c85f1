#include "terms.h"

static inline uint32_t bit(const uint32_t *table, uint32_t place) {
    return table[place >> 5 & 7] >> (place & 31) & 1;
}

void fti_term_filter_add(struct fti_term_filter *filter, uint32_t term) {
    filter->low[term >> 5 & 7] |= (uint32_t)1 << (term & 31);
    filter->next[term >> 13 & 7] |= (uint32_t)1 << (term >> 8 & 31);
}

size_t fti_term_filter_select_portable(const struct fti_term_filter *filter, const uint32_t *terms,
                                       size_t count, uint32_t *selected) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        selected[found] = (uint32_t)i;
        found += bit(filter->low, terms[i]) & bit(filter->next, terms[i] >> 8);
    }
    return found;
}

#if defined(__x86_64__)

#include <immintrin.h>

// The bits of eight places, at the bottom of each number. A permutation takes the word from the lowest three bits of
// its index.
__attribute__((target("avx2"))) static inline __m256i bits(__m256i table, __m256i places) {
    __m256i words = _mm256_permutevar8x32_epi32(table, _mm256_srli_epi32(places, 5));
    return _mm256_srlv_epi32(words, _mm256_and_si256(places, _mm256_set1_epi32(31)));
}

__attribute__((target("avx2"))) static size_t select_avx2(const struct fti_term_filter *filter,
                                                          const uint32_t *terms, size_t count,
                                                          uint32_t *selected) {
    __m256i low = _mm256_loadu_si256((const __m256i *)filter->low);
    __m256i next = _mm256_loadu_si256((const __m256i *)filter->next);
    size_t found = 0, i = 0;
    for (; i + 8 <= count; i += 8) {
        __m256i places = _mm256_loadu_si256((const __m256i *)(terms + i));
        __m256i hits = _mm256_and_si256(bits(low, places), bits(next, _mm256_srli_epi32(places, 8)));
        unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(hits, 31)));
        for (; mask; mask &= mask - 1) selected[found++] = (uint32_t)i + (uint32_t)__builtin_ctz(mask);
    }
    for (; i < count; i++) {
        if (bit(filter->low, terms[i]) & bit(filter->next, terms[i] >> 8)) selected[found++] = (uint32_t)i;
    }
    return found;
}

#endif

size_t fti_term_filter_select(const struct fti_term_filter *filter, const uint32_t *terms, size_t count,
                              uint32_t *selected) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return select_avx2(filter, terms, count, selected);
#endif
    return fti_term_filter_select_portable(filter, terms, count, selected);
}
