#include "keyed_hash.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words are little-endian"
#endif

#define WORDS (FTI_KEYED_BLOCK / 8)

void fti_keyed_sums(const void *bytes, size_t blocks, const uint64_t *key, uint64_t *sums) {
    const uint8_t *block = bytes;
    for (size_t b = 0; b < blocks; b++, block += FTI_KEYED_BLOCK) {
        // Two sums, so that one product need not wait for the addition of the other.
        unsigned __int128 even = 0, odd = 0;
        for (size_t i = 0; i < WORDS; i += 4) {
            uint64_t m[4];
            memcpy(m, block + 8 * i, sizeof m);
            even += (unsigned __int128)(m[0] + key[i]) * (m[1] + key[i + 1]);
            odd += (unsigned __int128)(m[2] + key[i + 2]) * (m[3] + key[i + 3]);
        }
        even += odd;
        sums[2 * b] = (uint64_t)even;
        sums[2 * b + 1] = (uint64_t)(even >> 64);
    }
}
