#include "vectors.h"

// Every machine rounds each operation on its own: nothing is fused.
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))
#define LANES 8

INLINE float dot(const float *left, const float *right, size_t count) {
    float sums[LANES] = {0};
    size_t j = 0;
    for (; j + LANES <= count; j += LANES)
        for (int l = 0; l < LANES; l++) sums[l] += left[j + l] * right[j + l];
    float sum =
        ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
    for (; j < count; j++) sum += left[j] * right[j];
    return sum;
}

float fti_dot_portable(const float *left, const float *right, size_t count) {
    return dot(left, right, count);
}

#if defined(__x86_64__)

#include <immintrin.h>

__attribute__((target("avx2"))) static float dot_avx2(const float *left, const float *right,
                                                      size_t count) {
    __m256 sums = _mm256_setzero_ps();
    size_t j = 0;
    for (; j + LANES <= count; j += LANES)
        sums = _mm256_add_ps(
            sums, _mm256_mul_ps(_mm256_loadu_ps(left + j), _mm256_loadu_ps(right + j)));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    float sum = _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
    for (; j < count; j++) sum += left[j] * right[j];
    return sum;
}

#endif

float fti_dot(const float *left, const float *right, size_t count) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return dot_avx2(left, right, count);
#endif
    return dot(left, right, count);
}
