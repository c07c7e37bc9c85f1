/// CRC-32C (Castagnoli; RFC 3720, appendix B.4): polynomial 0x1EDC6F41, reflected, complemented before and after.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Continues a checksum with `bytes[0..count)`; `crc` is the checksum of the bytes before them, or 0 when there are
/// none.
///
/// With SSE4.2 and PCLMULQDQ, processes three streams at once: about 20 GB/s for bytes in the cache.
uint32_t fti_crc32c(uint32_t crc, const uint8_t *bytes, size_t count);

/// The same on any processor, for tests; 1 to 2 GB/s.
uint32_t fti_crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t count);
