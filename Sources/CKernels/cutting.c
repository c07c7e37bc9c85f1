#include "cutting.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define NO_CUT ((size_t)-1)
#define MARK 0xA5
// The first stage passes one position in 2^8. With the second stage, beyond `average` one position in `average` / 4 is
// a cut, so the mean length of a piece is a little above `average`.
#define BITS_OF_MEAN 10
#define BITS_MORE_BEFORE_AVERAGE 4

static inline uint64_t load(const uint8_t *p) {
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

/// A hash of the 32 bytes before `end`; multiplications by odd constants mix in one word after the other.
static inline uint64_t window_hash(const uint8_t *end) {
    uint64_t h = load(end - 32) * 0x9E3779B97F4A7C15ull;
    h = (h ^ load(end - 24)) * 0xC2B2AE3D27D4EB4Full;
    h ^= h >> 29;
    h = (h ^ load(end - 16)) * 0x165667B19E3779F9ull;
    h ^= h >> 32;
    return (h ^ load(end - 8)) * 0x9E3779B97F4A7C15ull;
}

typedef size_t (*scan)(const uint8_t *bytes, size_t from, size_t to, int bits);

static size_t scan_portable(const uint8_t *bytes, size_t from, size_t to, int bits) {
    uint64_t threshold = ~0ull >> bits;
    for (size_t i = from; i < to; i++) {
        uint8_t sum = (uint8_t)(bytes[i - 4] + 3 * bytes[i - 3] + 5 * bytes[i - 2] + 9 * bytes[i - 1]);
        if (sum == MARK && window_hash(bytes + i) <= threshold) return i;
    }
    return NO_CUT;
}

#if defined(__x86_64__)

// One body for two vector widths; computes the sum of the first stage in all byte lanes at once.
#define SCAN(NAME, TARGET, VECTOR, WIDTH, LOAD, ADD, EQUAL, MASK, SPLAT)                          \
    TARGET static size_t NAME(const uint8_t *bytes, size_t from, size_t to, int bits) {           \
        const VECTOR mark = SPLAT((char)MARK);                                                    \
        uint64_t threshold = ~0ull >> bits;                                                       \
        size_t i = from;                                                                          \
        for (; i + WIDTH <= to; i += WIDTH) {                                                     \
            VECTOR a = LOAD((const void *)(bytes + i - 4)), b = LOAD((const void *)(bytes + i - 3)); \
            VECTOR c = LOAD((const void *)(bytes + i - 2)), d = LOAD((const void *)(bytes + i - 1)); \
            VECTOR c2 = ADD(c, c), d2 = ADD(d, d), d4 = ADD(d2, d2);                              \
            VECTOR sum = ADD(ADD(ADD(a, ADD(b, ADD(b, b))), ADD(c, ADD(c2, c2))),                 \
                             ADD(d, ADD(d4, d4)));                                                \
            uint32_t hits = (uint32_t)MASK(EQUAL(sum, mark));                                     \
            while (hits) {                                                                        \
                unsigned lane = (unsigned)__builtin_ctz(hits);                                    \
                hits &= hits - 1;                                                                 \
                if (window_hash(bytes + i + lane) <= threshold) return i + lane;                  \
            }                                                                                     \
        }                                                                                         \
        return scan_portable(bytes, i, to, bits);                                                 \
    }

SCAN(scan_sse2, , __m128i, 16, _mm_loadu_si128, _mm_add_epi8, _mm_cmpeq_epi8, _mm_movemask_epi8,
     _mm_set1_epi8)
SCAN(scan_avx2, __attribute__((target("avx2"))), __m256i, 32, _mm256_loadu_si256, _mm256_add_epi8,
     _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set1_epi8)

static scan fastest_scan(void) { return __builtin_cpu_supports("avx2") ? scan_avx2 : scan_sse2; }

#else

static scan fastest_scan(void) { return scan_portable; }

#endif

static size_t piece_length(scan find, const uint8_t *bytes, size_t count, size_t minimum,
                           size_t average, size_t maximum) {
    if (count <= minimum) return count;
    size_t end = count < maximum ? count : maximum;
    size_t middle = end < average ? end : average;
    int log = 63 - __builtin_clzll(average);
    int bits = log > BITS_OF_MEAN ? log - BITS_OF_MEAN : 0;
    size_t cut = find(bytes, minimum, middle, bits + BITS_MORE_BEFORE_AVERAGE);
    if (cut == NO_CUT) cut = find(bytes, middle, end, bits);
    return cut == NO_CUT ? end : cut;
}

size_t fti_cut_length(const uint8_t *bytes, size_t count, size_t minimum, size_t average,
                        size_t maximum) {
    return piece_length(fastest_scan(), bytes, count, minimum, average, maximum);
}

size_t fti_cut_length_portable(const uint8_t *bytes, size_t count, size_t minimum,
                                 size_t average, size_t maximum) {
    return piece_length(scan_portable, bytes, count, minimum, average, maximum);
}
