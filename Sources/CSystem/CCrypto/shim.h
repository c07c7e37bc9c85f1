#pragma once
// The digest functions without a provider are deprecated, and start a millisecond sooner.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <string.h>

/// Takes `blocks` blocks of 64 bytes into a chaining value of eight words, by libcrypto's SHA-256.
static inline void fti_crypto_sha256_compress(uint32_t *state, const uint8_t *bytes,
                                              size_t blocks) {
    SHA256_CTX context;
    SHA256_Init(&context);
    memcpy(context.h, state, sizeof context.h);
    SHA256_Update(&context, bytes, 64 * blocks);
    memcpy(state, context.h, sizeof context.h);
}
