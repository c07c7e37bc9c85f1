#include "encoder.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

// A product and the sum that it is added to are one operation where the processor has it.
#pragma STDC FP_CONTRACT ON

// The functions that take vectors are always inlined, so there is no calling convention to disagree on.
#pragma clang diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline))

// Sixteen numbers on every machine: several registers where one is narrower.
typedef float vector __attribute__((vector_size(64)));
typedef float unaligned_vector __attribute__((vector_size(64), aligned(4)));
typedef int32_t integers __attribute__((vector_size(64)));

// The rows whose activations stay in the second-level cache while panels of weights pass, and the inputs of a panel that stay
// in the first.
enum { BLOCK_ROWS = 240, BLOCK_DEPTH = 384, ATTENTION_ROWS = 64 };

static inline size_t padded(size_t count) { return (count + FTI_PANEL - 1) / FTI_PANEL * FTI_PANEL; }

#define JOINED(name, set) name##_##set
#define NAME_IN(name, set) JOINED(name, set)
#define NAME(name) NAME_IN(name, SET)

#define SET baseline
#define TILE_ROWS 4
#define TILE_VECTORS 1
#include "encoder_kernels.h"
#undef SET
#undef TILE_ROWS
#undef TILE_VECTORS

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define SET avx2
#define TILE_ROWS 6
#define TILE_VECTORS 1
#include "encoder_kernels.h"
#undef SET
#undef TILE_ROWS
#undef TILE_VECTORS
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#define SET avx512
#define TILE_ROWS 8
#define TILE_VECTORS 2
#include "encoder_kernels.h"
#undef SET
#undef TILE_ROWS
#undef TILE_VECTORS
#pragma clang attribute pop

#endif

static _Atomic int instruction_limit = FTI_AVX512;

static enum fti_instructions instructions(void) {
    int limit = atomic_load_explicit(&instruction_limit, memory_order_relaxed);
#if defined(__x86_64__)
    if (limit >= FTI_AVX512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return FTI_AVX512;
    if (limit >= FTI_AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return FTI_AVX2;
#endif
    (void)limit;
    return FTI_BASELINE;
}

enum fti_instructions fti_limit_instructions(enum fti_instructions limit) {
    atomic_store_explicit(&instruction_limit, (int)limit, memory_order_relaxed);
    return instructions();
}

#if defined(__x86_64__)
#define DISPATCH(name, ...)                                            \
    switch (instructions()) {                                          \
    case FTI_AVX512: return name##_avx512(__VA_ARGS__);                \
    case FTI_AVX2: return name##_avx2(__VA_ARGS__);                    \
    case FTI_BASELINE: return name##_baseline(__VA_ARGS__);            \
    }
#else
#define DISPATCH(name, ...) name##_baseline(__VA_ARGS__)
#endif

// A float with the value of an IEEE half.
static float widened_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3FF;
    // A subnormal half is a multiple of 2^-24, which a float represents.
    if (exponent == 0) return copysignf((float)fraction * 0x1p-24f, sign ? -1.0f : 1.0f);
    uint32_t bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

// Multiplying by zero gives a NaN for what is not finite.
static bool are_finite(const float *numbers, size_t count) {
    float sums[16] = {0};
    for (size_t i = 0; i < count; i++) sums[i % 16] += numbers[i] * 0.0f;
    float sum = 0;
    for (int i = 0; i < 16; i++) sum += sums[i];
    return sum == 0;
}

bool fti_widen(const void *numbers, size_t count, enum fti_number type, float *floats) {
    if (type == FTI_FLOAT32) memcpy(floats, numbers, count * sizeof(float));
    for (size_t i = 0; type != FTI_FLOAT32 && i < count; i++) {
        uint16_t bits;
        memcpy(&bits, (const char *)numbers + 2 * i, 2);
        if (type == FTI_FLOAT16) {
            floats[i] = widened_half(bits);
        } else {
            uint32_t word = (uint32_t)bits << 16;
            memcpy(&floats[i], &word, 4);
        }
    }
    return are_finite(floats, count);
}

void fti_pack_weights(const float *weights, size_t outputs, size_t inputs, float *packed) {
    for (size_t j = 0; j < padded(outputs); j++)
        for (size_t k = 0; k < inputs; k++)
            packed[j / FTI_PANEL * FTI_PANEL * inputs + k * FTI_PANEL + j % FTI_PANEL] =
                j < outputs ? weights[j * inputs + k] : 0;
}

void fti_dense(const float *rows, size_t stride, size_t count, size_t inputs, const float *packed,
               const float *bias, size_t outputs, enum fti_activation activation, float *result,
               size_t result_stride) {
    DISPATCH(dense, rows, stride, count, inputs, packed, bias, outputs, activation, result, result_stride);
}

size_t fti_attention_scratch(size_t count, size_t width) {
    return padded(count) * width + count * padded(width) + ATTENTION_ROWS * (padded(count) + padded(width));
}

static void attention(const float *rows, size_t stride, size_t part, size_t count, size_t heads,
                      size_t width, float *scratch, float *context, size_t context_stride) {
    DISPATCH(attention, rows, stride, part, count, heads, width, scratch, context, context_stride);
}

void fti_attention(const float *rows, size_t stride, size_t part, const int32_t *lengths, size_t texts,
                   size_t heads, size_t width, float *scratch, float *context, size_t context_stride) {
    for (size_t i = 0; i < texts; i++) {
        size_t count = (size_t)lengths[i];
        attention(rows, stride, part, count, heads, width, scratch, context, context_stride);
        rows += count * stride;
        context += count * context_stride;
    }
}

void fti_add_rows(const float *table, size_t width, const int32_t *indexes, size_t count, float *rows,
                  size_t stride) {
    for (size_t i = 0; i < count; i++) {
        const float *row = table + (size_t)indexes[i] * width;
        for (size_t j = 0; j < width; j++) rows[i * stride + j] += row[j];
    }
}

void fti_add_and_normalize(float *rows, const float *added, size_t stride, size_t count, size_t width,
                           const float *scale, const float *shift, float epsilon) {
    DISPATCH(add_and_normalize, rows, added, stride, count, width, scale, shift, epsilon);
}
