#include "vectors.h"

#include <math.h>
#include <string.h>

// Every machine does the same operations in the same order: nothing is fused, and sums have eight lanes, which the
// compiler maps to registers.
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))
#define LANES 8

/// Below this number, the scale would lose bits as a denormal number, or its inverse would be infinite.
static const float smallest = 0x1p-100f;

/// The inner product of two vectors with norms below this cannot overflow, in any order of addition.
static const float greatest_norm = 0x1p63f;

/// Adding this to a number below 2^22 leaves the nearest integer, ties to even, in the low bits.
static const float rounder = 0x1.8p23f;

INLINE void load(const uint8_t *vector, size_t dimension, size_t at, float *lanes) {
    if (at + LANES <= dimension) {
        memcpy(lanes, vector + 4 * at, 4 * LANES);
    } else {
        memset(lanes, 0, 4 * LANES);
        memcpy(lanes, vector + 4 * at, 4 * (dimension - at));
    }
}

/// The bits of the greatest absolute value; infinities and NaNs count as greater than any finite number.
INLINE uint32_t greatest(const uint8_t *vector, size_t dimension) {
    uint32_t most[LANES] = {0};
    for (size_t j = 0; j < dimension; j += LANES) {
        float lanes[LANES];
        uint32_t bits[LANES];
        load(vector, dimension, j, lanes);
        memcpy(bits, lanes, sizeof bits);
        for (int l = 0; l < LANES; l++) {
            uint32_t magnitude = bits[l] & 0x7FFFFFFF;
            most[l] = magnitude > most[l] ? magnitude : most[l];
        }
    }
    uint32_t result = 0;
    for (int l = 0; l < LANES; l++) result = most[l] > result ? most[l] : result;
    return result;
}

/// An fp32 number that is at least the root of a sum of squares. The rounding error of the sum is far below 2^-38 of
/// it.
INLINE float root_above(const double *sums) {
    double sum = ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
    double root = sqrt(sum) * (1 + 0x1p-38);
    float result = (float)root;
    return (double)result < root ? nextafterf(result, INFINITY) : result;
}

INLINE void code_vector(const uint8_t *vector, size_t dimension, size_t stride, float *scale,
                        float *residual, float *norm, int8_t *codes) {
    memset(codes, 0, stride);
    uint32_t bits = greatest(vector, dimension);
    float most;
    memcpy(&most, &bits, sizeof most);
    *scale = 0;
    if (bits >= 0x7F800000) {
        *residual = *norm = INFINITY;
        return;
    }
    float inverse = 0;
    if (most >= smallest) {
        *scale = most / 127;
        inverse = 127 / most;
    }
    double step = *scale, rest[LANES] = {0}, whole[LANES] = {0};
    for (size_t j = 0; j < dimension; j += LANES) {
        float lanes[LANES], rounded[LANES];
        uint32_t integers[LANES];
        int8_t group[LANES];
        load(vector, dimension, j, lanes);
        for (int l = 0; l < LANES; l++) rounded[l] = lanes[l] * inverse + rounder;
        memcpy(integers, rounded, sizeof integers);
        for (int l = 0; l < LANES; l++) {
            double number = lanes[l], error = number - step * (double)(rounded[l] - rounder);
            rest[l] += error * error;
            whole[l] += number * number;
            group[l] = (int8_t)(uint8_t)integers[l];
        }
        // The stride is a multiple of eight, so the last group fits.
        memcpy(codes + j, group, sizeof group);
    }
    *residual = root_above(rest);
    *norm = root_above(whole);
    if (*norm < greatest_norm) return;
    memset(codes, 0, stride);
    *scale = 0;
    *residual = *norm = INFINITY;
}

INLINE void code_vectors(const void *vectors, size_t rows, size_t dimension, size_t stride, void *scales,
                         void *residuals, void *norms, int8_t *codes) {
    for (size_t i = 0; i < rows; i++) {
        float scale, residual, norm;
        code_vector((const uint8_t *)vectors + 4 * dimension * i, dimension, stride, &scale, &residual,
                    &norm, codes + stride * i);
        memcpy((uint8_t *)scales + 4 * i, &scale, 4);
        memcpy((uint8_t *)residuals + 4 * i, &residual, 4);
        memcpy((uint8_t *)norms + 4 * i, &norm, 4);
    }
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) static void code_avx2(const void *vectors, size_t rows,
                                                      size_t dimension, size_t stride, void *scales,
                                                      void *residuals, void *norms, int8_t *codes) {
    code_vectors(vectors, rows, dimension, stride, scales, residuals, norms, codes);
}

#endif

void fti_code_vectors_portable(const void *vectors, size_t rows, size_t dimension, size_t stride,
                               void *scales, void *residuals, void *norms, int8_t *codes) {
    code_vectors(vectors, rows, dimension, stride, scales, residuals, norms, codes);
}

void fti_code_vectors(const void *vectors, size_t rows, size_t dimension, size_t stride, void *scales,
                      void *residuals, void *norms, int8_t *codes) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return code_avx2(vectors, rows, dimension, stride, scales, residuals, norms, codes);
#endif
    code_vectors(vectors, rows, dimension, stride, scales, residuals, norms, codes);
}
