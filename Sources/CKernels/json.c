#include "json.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// Powers of ten from 1e-64 on. Most are rounded, which the margin in to_float allows for.
#define LOWEST_POWER 64
static const double powers_of_ten[] = {
    1e-64, 1e-63, 1e-62, 1e-61, 1e-60, 1e-59, 1e-58, 1e-57, 1e-56, 1e-55, 1e-54, 1e-53, 1e-52,
    1e-51, 1e-50, 1e-49, 1e-48, 1e-47, 1e-46, 1e-45, 1e-44, 1e-43, 1e-42, 1e-41, 1e-40, 1e-39,
    1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26,
    1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13,
    1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,  1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,
    1e1,   1e2,   1e3,   1e4,   1e5,   1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,
    1e14,  1e15,  1e16,  1e17,  1e18,  1e19,  1e20,  1e21,  1e22,  1e23,  1e24,  1e25,  1e26,
    1e27,  1e28,  1e29,  1e30,  1e31,  1e32,  1e33,  1e34,  1e35,  1e36,  1e37,  1e38};

// Rounds mantissa * 10^scale to fp32; returns 0 if a double cannot decide the rounding. The converted mantissa, the
// power and the product are each off by at most one unit in the last place, and the digits that the mantissa lacks
// weigh less than one unit. So the double rounds as the decimal number does, unless the middle between two fp32 numbers
// (29 low bits 1000...) lies within 8 units.
INLINE int to_float(uint64_t mantissa, long scale, int is_negative, float *out) {
    if (mantissa == 0) {
        *out = is_negative ? -0.0f : 0.0f;
        return 1;
    }
    if (scale < -LOWEST_POWER || scale > 38) return 0;
    double value = (double)(int64_t)mantissa * powers_of_ten[scale + LOWEST_POWER];
    uint64_t bits;
    memcpy(&bits, &value, 8);
    uint32_t low = (uint32_t)bits & 0x1FFFFFFF;
    if (low - (0x10000000 - 8) <= 16) return 0;
    // Outside the normal numbers, fp32 has fewer bits or only infinity.
    if (value < 0x1p-126 || value > 0x1.fffffep127) return 0;
    *out = is_negative ? -(float)value : (float)value;
    return 1;
}

INLINE int is_space(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

INLINE int is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }

// Reads a number from `at`, with the white space around it; returns the offset after both, or 0 on failure.
static size_t read_number(const uint8_t *text, size_t size, size_t at, float *out) {
    while (at < size && is_space(text[at])) at++;
    int is_negative = at < size && text[at] == '-';
    at += (size_t)is_negative;
    if (at >= size || !is_digit(text[at])) return 0;
    if (text[at] == '0' && at + 1 < size && is_digit(text[at + 1])) return 0;
    uint64_t mantissa = 0;
    long scale = 0;
    // A number of 18 digits is below 2^63. Further digits are dropped; those before the point raise the scale.
    int is_fraction = 0;
    for (;; at++) {
        if (at < size && is_digit(text[at])) {
            if (mantissa < 100000000000000000) {
                mantissa = mantissa * 10 + (text[at] - '0');
                scale -= is_fraction;
            } else {
                scale += !is_fraction;
            }
        } else if (at + 1 < size && text[at] == '.' && !is_fraction && is_digit(text[at + 1])) {
            is_fraction = 1;
        } else {
            break;
        }
    }
    if (at < size && (text[at] | 0x20) == 'e') {
        at++;
        int is_below = at < size && text[at] == '-';
        if (at < size && (text[at] == '-' || text[at] == '+')) at++;
        if (at >= size || !is_digit(text[at])) return 0;
        long exponent = 0;
        for (; at < size && is_digit(text[at]); at++)
            if (exponent < 100000) exponent = exponent * 10 + (text[at] - '0');
        scale += is_below ? -exponent : exponent;
    }
    if (!to_float(mantissa, scale, is_negative, out)) return 0;
    while (at < size && is_space(text[at])) at++;
    return at;
}

ptrdiff_t fti_read_floats_portable(const uint8_t *text, size_t size, size_t start, float *out,
                                   size_t capacity, size_t *end) {
    size_t at = start, count = 0;
    while (1) {
        float number;
        at = read_number(text, size, at, &number);
        if (at == 0 || at >= size) return -1;
        if (count == capacity) return FTI_LIST_TOO_LONG;
        out[count++] = number;
        if (text[at] == ']') {
            *end = at + 1;
            return (ptrdiff_t)count;
        }
        if (text[at] != ',') return -1;
        at++;
    }
}

size_t fti_plain_text_end_portable(const uint8_t *text, size_t size, size_t start, uint8_t *seen) {
    size_t at = start;
    while (at < size && text[at] != '"' && text[at] != '\\' && text[at] >= 0x20)
        *seen |= text[at++] & 0x80;
    return at;
}

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define TARGET_INLINE AVX2 static inline __attribute__((always_inline))

// Of 32 bytes loaded from offset n, the last n lanes are set; from offset 64 - n, the first n.
static const uint8_t slide[96] = {
    [32] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255,        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

// Reads text[begin..end), at most 16 bytes, as a number without a sign or an exponent: sets `mantissa` to its digits as
// a whole number, and `fraction` to how many of them follow the point. Returns 0 for anything else.
//
// The load puts the last byte into the last lane. The bytes before the point then move up one lane, over the point.
TARGET_INLINE int digits_16(const uint8_t *text, size_t begin, size_t end, uint64_t *mantissa,
                            long *fraction) {
    unsigned length = (unsigned)(end - begin);
    __m128i bytes = _mm_loadu_si128((const __m128i *)(text + end - 16));
    __m128i before = _mm_loadu_si128((const __m128i *)(text + end - 17));
    unsigned points = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
    points &= 0xFFFFu << (16 - length);
    unsigned has_point = points != 0;
    unsigned after = has_point ? 15 - (unsigned)__builtin_ctz(points) : 16;
    unsigned count = length - has_point;
    __m128i moves = _mm_loadu_si128((const __m128i *)(slide + 48 + after));
    __m128i counts = _mm_loadu_si128((const __m128i *)(slide + 16 + count));
    __m128i digits = _mm_sub_epi8(_mm_blendv_epi8(bytes, before, moves), _mm_set1_epi8('0'));
    digits = _mm_and_si128(digits, counts);
    __m128i above = _mm_subs_epu8(digits, _mm_set1_epi8(9));
    if (!_mm_testz_si128(above, above) || after == 0) return 0;
    unsigned whole = has_point ? count - after : count;
    if (whole != 1 && (whole == 0 || text[begin] == '0')) return 0;
    __m128i sums = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010A));
    sums = _mm_madd_epi16(sums, _mm_set1_epi32(0x00010064));
    sums = _mm_packus_epi32(sums, sums);
    sums = _mm_madd_epi16(sums, _mm_set1_epi32(0x00012710));
    uint64_t halves = (uint64_t)_mm_cvtsi128_si64(sums);
    *mantissa = (halves & 0xFFFFFFFF) * 100000000 + (halves >> 32);
    *fraction = has_point ? (long)after : 0;
    return 1;
}

// The same for at most 32 bytes; also returns 0 when there are too many digits.
TARGET_INLINE int digits_32(const uint8_t *text, size_t begin, size_t end, uint64_t *mantissa,
                            long *fraction) {
    unsigned length = (unsigned)(end - begin);
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(text + end - 32));
    __m256i before = _mm256_loadu_si256((const __m256i *)(text + end - 33));
    uint64_t points =
        (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('.')));
    points &= 0xFFFFFFFFull << (32 - length);
    unsigned has_point = points != 0;
    unsigned after = has_point ? 31 - (unsigned)__builtin_ctzll(points) : 32;
    unsigned count = length - has_point;
    __m256i moves = _mm256_loadu_si256((const __m256i *)(slide + 32 + after));
    __m256i counts = _mm256_loadu_si256((const __m256i *)(slide + count));
    __m256i digits =
        _mm256_sub_epi8(_mm256_blendv_epi8(bytes, before, moves), _mm256_set1_epi8('0'));
    digits = _mm256_and_si256(digits, counts);
    __m256i above = _mm256_subs_epu8(digits, _mm256_set1_epi8(9));
    if (!_mm256_testz_si256(above, above) || after == 0) return 0;
    unsigned whole = has_point ? count - after : count;
    if (whole != 1 && (whole == 0 || text[begin] == '0')) return 0;
    __m256i sums = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010A));
    sums = _mm256_madd_epi16(sums, _mm256_set1_epi32(0x00010064));
    sums = _mm256_packus_epi32(sums, sums);
    sums = _mm256_madd_epi16(sums, _mm256_set1_epi32(0x00012710));
    uint64_t high = (uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(sums));
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(_mm256_extracti128_si256(sums, 1));
    // The whole number must be below 9e18, and so below 2^63.
    if ((high & 0xFFFFFFFF) != 0 || (high >> 32) >= 900) return 0;
    *mantissa = ((high >> 32) * 100000000 + (low & 0xFFFFFFFF)) * 100000000 + (low >> 32);
    *fraction = has_point ? (long)after : 0;
    return 1;
}

TARGET_INLINE uint64_t separators(const uint8_t *bytes) {
    uint64_t mask = 0;
    for (int half = 0; half < 2; half++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(bytes + 32 * half));
        __m256i is = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(',')),
                                     _mm256_cmpeq_epi8(v, _mm256_set1_epi8(']')));
        mask |= (uint64_t)(uint32_t)_mm256_movemask_epi8(is) << (32 * half);
    }
    return mask;
}

AVX2 static ptrdiff_t read_floats_avx2(const uint8_t *text, size_t size, size_t start, float *out,
                                       size_t capacity, size_t *end) {
    size_t begin = start, count = 0;
    for (size_t base = start; base < size; base += 64) {
        uint64_t mask;
        if (size - base >= 64) {
            mask = separators(text + base);
        } else {
            uint8_t rest[64] = {0};
            memcpy(rest, text + base, size - base);
            mask = separators(rest);
        }
        for (; mask != 0; mask &= mask - 1) {
            size_t at = base + (size_t)__builtin_ctzll(mask), first = begin;
            if (text[first] == ' ') first++;
            int is_negative = text[first] == '-';
            first += (size_t)is_negative;
            size_t length = at - first;
            uint64_t mantissa;
            long fraction;
            if (count == capacity) return FTI_LIST_TOO_LONG;
            int is_plain = first < at && at >= 33 &&
                           (length <= 16   ? digits_16(text, first, at, &mantissa, &fraction)
                            : length <= 32 ? digits_32(text, first, at, &mantissa, &fraction)
                                           : 0);
            if (!is_plain || !to_float(mantissa, -fraction, is_negative, out + count)) {
                if (read_number(text, size, begin, out + count) != at) return -1;
            }
            count++;
            begin = at + 1;
            if (text[at] == ']') {
                *end = begin;
                return (ptrdiff_t)count;
            }
        }
    }
    return -1;
}

ptrdiff_t fti_read_floats(const uint8_t *text, size_t size, size_t start, float *out,
                          size_t capacity, size_t *end) {
    return __builtin_cpu_supports("avx2")
               ? read_floats_avx2(text, size, start, out, capacity, end)
               : fti_read_floats_portable(text, size, start, out, capacity, end);
}

size_t fti_plain_text_end(const uint8_t *text, size_t size, size_t start, uint8_t *seen) {
    size_t at = start;
    __m128i all = _mm_setzero_si128();
    for (; at + 16 <= size; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(text + at));
        __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                    _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        ends = _mm_or_si128(ends, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v));
        if (_mm_movemask_epi8(ends) != 0) break;
        all = _mm_or_si128(all, v);
    }
    if (_mm_movemask_epi8(all) != 0) *seen |= 0x80;
    return fti_plain_text_end_portable(text, size, at, seen);
}

#else

ptrdiff_t fti_read_floats(const uint8_t *text, size_t size, size_t start, float *out,
                          size_t capacity, size_t *end) {
    return fti_read_floats_portable(text, size, start, out, capacity, end);
}

size_t fti_plain_text_end(const uint8_t *text, size_t size, size_t start, uint8_t *seen) {
    return fti_plain_text_end_portable(text, size, start, seen);
}

#endif
