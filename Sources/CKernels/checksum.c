#include "checksum.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static inline uint64_t load(const uint8_t *p) {
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

// Slicing by eight: table[k][b] is the contribution of byte b when k bytes follow it.
static uint32_t table[8][256];
static pthread_once_t table_made = PTHREAD_ONCE_INIT;

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
        table[0][i] = crc;
    }
    for (int k = 1; k < 8; k++) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t crc = table[k - 1][i];
            table[k][i] = crc >> 8 ^ table[0][crc & 0xFF];
        }
    }
}

uint32_t fti_crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t count) {
    pthread_once(&table_made, make_table);
    crc = ~crc;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word = load(bytes) ^ crc;
        crc = 0;
        for (int k = 0; k < 8; k++) crc ^= table[7 - k][word >> 8 * k & 0xFF];
    }
#endif
    for (; count > 0; bytes++, count--) crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)

#define SSE42 __attribute__((target("sse4.2,pclmul")))

// The CRC32 instruction takes three cycles, and one can start every cycle, so three independent streams keep it busy.
// To join the streams, the checksum of each is carried over the n bytes after it by a multiplication by x^(8 n - 33),
// whose product the CRC32 instruction itself reduces.
SSE42 static inline uint64_t carried(uint64_t crc, uint64_t power) {
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi64_si128((long long)power), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

#define STREAMS(LENGTH, POWER_ONE, POWER_TWO)                                            \
    for (; count >= 3 * LENGTH; bytes += 3 * LENGTH, count -= 3 * LENGTH) {              \
        uint64_t b = 0, c = 0;                                                           \
        for (size_t i = 0; i < LENGTH; i += 8) {                                         \
            a = _mm_crc32_u64(a, load(bytes + i));                                       \
            b = _mm_crc32_u64(b, load(bytes + LENGTH + i));                              \
            c = _mm_crc32_u64(c, load(bytes + 2 * LENGTH + i));                          \
        }                                                                                \
        a = carried(a, POWER_TWO) ^ carried(b, POWER_ONE) ^ c;                           \
    }

SSE42 static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t a = (uint32_t)~crc;
    STREAMS(1024, 0x170076FA, 0xA51B6135)
    STREAMS(128, 0x0D3B6092, 0xB9E02B86)
    for (; count >= 8; bytes += 8, count -= 8) a = _mm_crc32_u64(a, load(bytes));
    uint32_t rest = (uint32_t)a;
    for (; count > 0; bytes++, count--) rest = _mm_crc32_u8(rest, *bytes);
    return ~rest;
}

uint32_t fti_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) {
        return crc32c_sse42(crc, bytes, count);
    }
    return fti_crc32c_portable(crc, bytes, count);
}

#else

uint32_t fti_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
    return fti_crc32c_portable(crc, bytes, count);
}

#endif
