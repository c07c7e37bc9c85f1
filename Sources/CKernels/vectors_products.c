#include "vectors.h"

// Every machine must select the same rows, so nothing is fused.
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

INLINE int32_t code_product(const int8_t *codes, size_t stride, const int8_t *query) {
    int32_t sum = 0;
    for (size_t j = 0; j < stride; j++) sum += (int32_t)codes[j] * query[j];
    return sum;
}

void fti_code_products_portable(const int8_t *codes, size_t rows, size_t stride, const int8_t *query,
                                int32_t *products) {
    for (size_t i = 0; i < rows; i++) products[i] = code_product(codes + stride * i, stride, query);
}

// Always writes the index, and counts it only if the row stays, so there is no branch to mispredict.
INLINE size_t select_rows(const int32_t *products, const float *scales, const float *residuals,
                          const float *norms, size_t rows, const struct fti_code_bound *bound,
                          double threshold, uint32_t *selected) {
    double scale = bound->scale, norm = bound->norm, residual = bound->residual, rest = bound->rest;
    size_t count = 0;
    for (size_t start = 0; start < rows; start += 64) {
        size_t end = start + 64 < rows ? start + 64 : rows;
        uint64_t kept[64];
        uint64_t any = 0;
        for (size_t i = start; i < end; i++) {
            double centre = (double)products[i] * ((double)scales[i] * scale);
            double radius = ((double)norms[i] * norm + (double)residuals[i] * residual) + rest;
            uint64_t keeps = !(centre + radius <= threshold);
            kept[i - start] = keeps;
            any |= keeps;
        }
        // Nearly all groups end here.
        if (!any) continue;
        for (size_t i = start; i < end; i++) {
            selected[count] = (uint32_t)i;
            count += kept[i - start];
        }
    }
    return count;
}

size_t fti_code_select_portable(const int32_t *products, const float *scales, const float *residuals,
                                const float *norms, size_t rows, const struct fti_code_bound *bound,
                                double threshold, uint32_t *selected) {
    return select_rows(products, scales, residuals, norms, rows, bound, threshold, selected);
}

#if defined(__x86_64__)

#include <immintrin.h>

// Asks for the codes of the next page, where the processor does not look ahead by itself; past the end this does nothing.
static inline void prefetch(const int8_t *codes) {
    _mm_prefetch((const char *)codes + 4096, _MM_HINT_T0);
}

// The multiplication takes unsigned numbers on one side. So 128 is added to the codes, and 128 times the sum of the
// query's codes is subtracted from the result.
__attribute__((target("avx512f,avx512bw,avx512vnni"))) static void products_vnni(
    const int8_t *codes, size_t rows, size_t stride, const int8_t *query, int32_t *products) {
    const __m512i sign = _mm512_set1_epi8((char)0x80);
    int32_t excess = 0;
    for (size_t j = 0; j < stride; j++) excess += query[j];
    excess *= 128;
    size_t i = 0;
    for (; i + 4 <= rows; i += 4) {
        const int8_t *r0 = codes + stride * i, *r1 = r0 + stride, *r2 = r1 + stride, *r3 = r2 + stride;
        __m512i a0 = _mm512_setzero_si512(), a1 = a0, a2 = a0, a3 = a0;
        for (size_t j = 0; j < stride; j += 64) {
            __m512i q = _mm512_loadu_si512(query + j);
            prefetch(r0 + j), prefetch(r1 + j), prefetch(r2 + j), prefetch(r3 + j);
            a0 = _mm512_dpbusd_epi32(a0, _mm512_xor_si512(_mm512_loadu_si512(r0 + j), sign), q);
            a1 = _mm512_dpbusd_epi32(a1, _mm512_xor_si512(_mm512_loadu_si512(r1 + j), sign), q);
            a2 = _mm512_dpbusd_epi32(a2, _mm512_xor_si512(_mm512_loadu_si512(r2 + j), sign), q);
            a3 = _mm512_dpbusd_epi32(a3, _mm512_xor_si512(_mm512_loadu_si512(r3 + j), sign), q);
        }
        __m512i b0 = _mm512_add_epi32(_mm512_unpacklo_epi32(a0, a1), _mm512_unpackhi_epi32(a0, a1));
        __m512i b1 = _mm512_add_epi32(_mm512_unpacklo_epi32(a2, a3), _mm512_unpackhi_epi32(a2, a3));
        __m512i c = _mm512_add_epi32(_mm512_unpacklo_epi64(b0, b1), _mm512_unpackhi_epi64(b0, b1));
        __m256i d = _mm256_add_epi32(_mm512_castsi512_si256(c), _mm512_extracti64x4_epi64(c, 1));
        __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(d), _mm256_extracti128_si256(d, 1));
        _mm_storeu_si128((__m128i *)(products + i), _mm_sub_epi32(sums, _mm_set1_epi32(excess)));
    }
    for (; i < rows; i++) {
        __m512i a = _mm512_setzero_si512();
        for (size_t j = 0; j < stride; j += 64)
            a = _mm512_dpbusd_epi32(
                a, _mm512_xor_si512(_mm512_loadu_si512(codes + stride * i + j), sign),
                _mm512_loadu_si512(query + j));
        products[i] = _mm512_reduce_add_epi32(a) - excess;
    }
}

// |code| <= 128 and |query| <= 127, so the sum of two products fits in 16 bits with a sign.
__attribute__((target("avx2"), always_inline)) static inline __m256i step_avx2(__m256i sum, __m256i code,
                                                                                __m256i query) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(code), _mm256_sign_epi8(query, code));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

__attribute__((target("avx2"))) static void products_avx2(const int8_t *codes, size_t rows,
                                                          size_t stride, const int8_t *query,
                                                          int32_t *products) {
    for (size_t i = 0; i < rows; i++) {
        const int8_t *row = codes + stride * i;
        __m256i a = _mm256_setzero_si256(), b = a;
        for (size_t j = 0; j < stride; j += 64) {
            a = step_avx2(a, _mm256_loadu_si256((const __m256i *)(row + j)),
                          _mm256_loadu_si256((const __m256i *)(query + j)));
            b = step_avx2(b, _mm256_loadu_si256((const __m256i *)(row + j + 32)),
                          _mm256_loadu_si256((const __m256i *)(query + j + 32)));
        }
        a = _mm256_add_epi32(a, b);
        __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1));
        products[i] = _mm_cvtsi128_si32(s);
    }
}

__attribute__((target("avx2"))) static size_t select_avx2(
    const int32_t *products, const float *scales, const float *residuals, const float *norms,
    size_t rows, const struct fti_code_bound *bound, double threshold, uint32_t *selected) {
    return select_rows(products, scales, residuals, norms, rows, bound, threshold, selected);
}

#endif

void fti_code_products(const int8_t *codes, size_t rows, size_t stride, const int8_t *query,
                       int32_t *products) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw"))
        return products_vnni(codes, rows, stride, query, products);
    if (__builtin_cpu_supports("avx2")) return products_avx2(codes, rows, stride, query, products);
#endif
    fti_code_products_portable(codes, rows, stride, query, products);
}

size_t fti_code_select(const int32_t *products, const float *scales, const float *residuals,
                       const float *norms, size_t rows, const struct fti_code_bound *bound,
                       double threshold, uint32_t *selected) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return select_avx2(products, scales, residuals, norms, rows, bound, threshold, selected);
#endif
    return select_rows(products, scales, residuals, norms, rows, bound, threshold, selected);
}
