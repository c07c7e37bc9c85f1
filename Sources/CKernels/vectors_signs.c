#include "vectors.h"

#define INLINE static inline __attribute__((always_inline))

void fti_code_signs(const int8_t *codes, size_t words, uint64_t *signs) {
    for (size_t w = 0; w < words; w++) {
        uint64_t word = 0;
        for (int i = 0; i < 64; i++) word |= (uint64_t)((uint8_t)codes[64 * w + i] >> 7) << i;
        signs[w] = word;
    }
}

INLINE void sign_distances(const uint64_t *signs, size_t rows, size_t words, const uint64_t *query,
                           uint32_t *distances) {
    for (size_t i = 0; i < rows; i++) {
        uint64_t distance = 0;
        for (size_t w = 0; w < words; w++)
            distance += (uint64_t)__builtin_popcountll(signs[words * i + w] ^ query[w]);
        distances[i] = (uint32_t)distance;
    }
}

void fti_sign_distances_portable(const uint64_t *signs, size_t rows, size_t words,
                                 const uint64_t *query, uint32_t *distances) {
    sign_distances(signs, rows, words, query, distances);
}

// Always writes the index, and counts it only if the row stays, so there is no branch to mispredict.
INLINE size_t distance_select(const uint32_t *distances, size_t rows, uint32_t limit,
                              uint32_t *selected) {
    size_t count = 0;
    for (size_t start = 0; start < rows; start += 64) {
        size_t end = start + 64 < rows ? start + 64 : rows;
        uint32_t least = UINT32_MAX;
        for (size_t i = start; i < end; i++) least = distances[i] < least ? distances[i] : least;
        // Nearly all groups end here.
        if (least > limit) continue;
        for (size_t i = start; i < end; i++) {
            selected[count] = (uint32_t)i;
            count += distances[i] <= limit;
        }
    }
    return count;
}

#if defined(__x86_64__)

#include <immintrin.h>

__attribute__((target("popcnt"))) static void distances_popcnt(const uint64_t *signs, size_t rows,
                                                               size_t words, const uint64_t *query,
                                                               uint32_t *distances) {
    sign_distances(signs, rows, words, query, distances);
}

__attribute__((target("avx2"))) static size_t select_avx2(const uint32_t *distances, size_t rows,
                                                          uint32_t limit, uint32_t *selected) {
    return distance_select(distances, rows, limit, selected);
}

__attribute__((target("avx512f,avx512vl,avx512vpopcntdq"))) static void distances_avx512(
    const uint64_t *signs, size_t rows, size_t words, const uint64_t *query, uint32_t *distances) {
    for (size_t i = 0; i < rows; i++) {
        const uint64_t *row = signs + words * i;
        __m512i sum = _mm512_setzero_si512();
        for (size_t w = 0; w < words; w += 8) {
            __mmask8 mask = words - w >= 8 ? 0xFF : (__mmask8)((1u << (words - w)) - 1);
            __m512i differing = _mm512_xor_si512(_mm512_maskz_loadu_epi64(mask, row + w),
                                                 _mm512_maskz_loadu_epi64(mask, query + w));
            sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(differing));
        }
        distances[i] = (uint32_t)_mm512_reduce_add_epi64(sum);
    }
}

#endif

void fti_sign_distances(const uint64_t *signs, size_t rows, size_t words, const uint64_t *query,
                        uint32_t *distances) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vl"))
        return distances_avx512(signs, rows, words, query, distances);
    if (__builtin_cpu_supports("popcnt"))
        return distances_popcnt(signs, rows, words, query, distances);
#endif
    sign_distances(signs, rows, words, query, distances);
}

size_t fti_distance_select(const uint32_t *distances, size_t rows, uint32_t limit,
                           uint32_t *selected) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return select_avx2(distances, rows, limit, selected);
#endif
    return distance_select(distances, rows, limit, selected);
}
