#include "sha256.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define SHA __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE static inline __attribute__((always_inline))

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The instructions take the words a..h as (a b e f) and (c d g h), the first in the highest lane.
typedef struct {
    __m128i abef, cdgh;
} lane;

SHA INLINE lane load_lane(const uint32_t *state) {
    __m128i dcba = _mm_loadu_si128((const __m128i *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
    lane result = {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
    return result;
}

SHA INLINE void store_lane(uint32_t *state, lane value) {
    __m128i feba = _mm_shuffle_epi32(value.abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(value.cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

// `lanes` is a constant wherever this is inlined, so that every loop over it unrolls.
SHA INLINE void compress(uint32_t *const *states, const uint8_t *const *bytes, size_t blocks,
                         const int lanes) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL);
    lane current[2];
    for (int n = 0; n < lanes; n++) current[n] = load_lane(states[n]);
    for (size_t block = 0; block < blocks; block++) {
        lane before[2];
        __m128i words[2][4];
        for (int n = 0; n < lanes; n++) {
            before[n] = current[n];
            for (int i = 0; i < 4; i++) {
                const __m128i *source = (const __m128i *)(bytes[n] + 64 * block) + i;
                words[n][i] = _mm_shuffle_epi8(_mm_loadu_si128(source), big_endian);
            }
        }
#pragma clang loop unroll(full)
        for (int round = 0; round < 16; round++) {
            __m128i k = _mm_load_si128((const __m128i *)constants + round);
            for (int n = 0; n < lanes; n++) {
                __m128i *w = words[n], *word = &w[round & 3];
                __m128i sum = _mm_add_epi32(*word, k);
                current[n].cdgh =
                    _mm_sha256rnds2_epu32(current[n].cdgh, current[n].abef, sum);
                current[n].abef = _mm_sha256rnds2_epu32(current[n].abef, current[n].cdgh,
                                                        _mm_shuffle_epi32(sum, 0x0E));
                if (round < 12) {
                    __m128i last = w[(round + 3) & 3];
                    __m128i next = _mm_sha256msg1_epu32(*word, w[(round + 1) & 3]);
                    next = _mm_add_epi32(next, _mm_alignr_epi8(last, w[(round + 2) & 3], 4));
                    *word = _mm_sha256msg2_epu32(next, last);
                }
            }
        }
        for (int n = 0; n < lanes; n++) {
            current[n].abef = _mm_add_epi32(current[n].abef, before[n].abef);
            current[n].cdgh = _mm_add_epi32(current[n].cdgh, before[n].cdgh);
        }
    }
    for (int n = 0; n < lanes; n++) store_lane(states[n], current[n]);
}

SHA static void compress_one(uint32_t *state, const uint8_t *bytes, size_t blocks) {
    compress(&state, &bytes, blocks, 1);
}

SHA static void compress_two(uint32_t *const *states, const uint8_t *const *bytes, size_t blocks) {
    compress(states, bytes, blocks, 2);
}

bool fti_sha256_supported(void) {
    return __builtin_cpu_supports("sha") && __builtin_cpu_supports("sse4.1");
}

void fti_sha256_compress(uint32_t *state, const uint8_t *bytes, size_t blocks) {
    compress_one(state, bytes, blocks);
}

void fti_sha256_compress_pair(uint32_t *first_state, const uint8_t *first_bytes,
                              uint32_t *second_state, const uint8_t *second_bytes,
                              size_t blocks) {
    uint32_t *const states[2] = {first_state, second_state};
    const uint8_t *const bytes[2] = {first_bytes, second_bytes};
    compress_two(states, bytes, blocks);
}

#else

bool fti_sha256_supported(void) { return false; }

void fti_sha256_compress(uint32_t *state, const uint8_t *bytes, size_t blocks) {
    (void)state, (void)bytes, (void)blocks;
    __builtin_trap();
}

void fti_sha256_compress_pair(uint32_t *first_state, const uint8_t *first_bytes,
                              uint32_t *second_state, const uint8_t *second_bytes,
                              size_t blocks) {
    (void)first_state, (void)first_bytes, (void)second_state, (void)second_bytes, (void)blocks;
    __builtin_trap();
}

#endif
