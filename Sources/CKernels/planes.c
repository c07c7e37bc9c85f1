#include "planes.h"

#include <string.h>

// The compiler turns these strided accesses into shuffles, once for the baseline instructions and once for AVX2.

#define INLINE static inline __attribute__((always_inline))

INLINE void split(const uint8_t *restrict numbers, size_t count, int width,
                  uint8_t *restrict planes) {
    if (width == 2) {
        uint8_t *restrict high = planes + count;
        for (size_t i = 0; i < count; i++) {
            planes[i] = numbers[2 * i];
            high[i] = numbers[2 * i + 1];
        }
    } else {
        uint8_t *restrict p1 = planes + count, *restrict p2 = planes + 2 * count,
                *restrict p3 = planes + 3 * count;
        for (size_t i = 0; i < count; i++) {
            planes[i] = numbers[4 * i];
            p1[i] = numbers[4 * i + 1];
            p2[i] = numbers[4 * i + 2];
            p3[i] = numbers[4 * i + 3];
        }
    }
}

INLINE void join(const uint8_t *const *planes, size_t count, int width,
                 uint8_t *restrict numbers) {
    const uint8_t *restrict p0 = planes[0], *restrict p1 = planes[1];
    if (width == 2) {
        for (size_t i = 0; i < count; i++) {
            numbers[2 * i] = p0[i];
            numbers[2 * i + 1] = p1[i];
        }
    } else {
        const uint8_t *restrict p2 = planes[2], *restrict p3 = planes[3];
        for (size_t i = 0; i < count; i++) {
            numbers[4 * i] = p0[i];
            numbers[4 * i + 1] = p1[i];
            numbers[4 * i + 2] = p2[i];
            numbers[4 * i + 3] = p3[i];
        }
    }
}

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2")))

AVX2 static void split_avx2(const uint8_t *restrict numbers, size_t count, int width,
                            uint8_t *restrict planes) {
    split(numbers, count, width, planes);
}

AVX2 static void join_avx2(const uint8_t *const *planes, size_t count, int width,
                           uint8_t *restrict numbers) {
    join(planes, count, width, numbers);
}

#endif

void fti_split_planes(const uint8_t *restrict numbers, size_t count, int width,
                      uint8_t *restrict planes) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return split_avx2(numbers, count, width, planes);
#endif
    split(numbers, count, width, planes);
}

void fti_join_planes(const uint8_t *const *planes, size_t count, int width, uint8_t *numbers) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return join_avx2(planes, count, width, numbers);
#endif
    join(planes, count, width, numbers);
}

void fti_lane_histogram(const uint8_t *bytes, size_t count, size_t samples, uint32_t *histogram) {
    memset(histogram, 0, 4 * 256 * sizeof *histogram);
    size_t words = count / 4;
    size_t taken = words < samples ? words : samples;
    size_t step = taken ? words / taken : 1;
    for (size_t i = 0; i < taken; i++) {
        const uint8_t *word = bytes + 4 * i * step;
        for (size_t lane = 0; lane < 4; lane++) histogram[256 * lane + word[lane]]++;
    }
}
