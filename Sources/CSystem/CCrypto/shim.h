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

#include <openssl/crypto.h>
#include <openssl/evp.h>

/// Makes libcrypto ready without reading a configuration file: where signatures are concerned, what the machine
/// or the environment says about algorithms is not asked.
static inline int fti_crypto_ready(void) {
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1;
}

/// Computes the public key of a 32-byte Ed25519 seed; 0 when libcrypto fails.
static inline int fti_crypto_ed25519_public(const uint8_t *seed, uint8_t *public_key) {
    if (!fti_crypto_ready()) return 0;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    size_t size = 32;
    int done = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &size) == 1 && size == 32;
    EVP_PKEY_free(key);
    return done;
}

/// Signs a message with a 32-byte Ed25519 seed: 64 bytes; 0 when libcrypto fails.
static inline int fti_crypto_ed25519_sign(const uint8_t *seed, const uint8_t *message, size_t count,
                                          uint8_t *signature) {
    if (!fti_crypto_ready()) return 0;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = 64;
    int done = key != NULL && context != NULL &&
               EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
               EVP_DigestSign(context, signature, &size, message, count) == 1 && size == 64;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return done;
}

/// Whether 64 bytes are the Ed25519 signature of a message by a 32-byte public key. libcrypto refuses an S that is
/// not below the order of the group, and an R that is not canonical; the points are the caller's to judge.
static inline int fti_crypto_ed25519_verify(const uint8_t *public_key, const uint8_t *message,
                                            size_t count, const uint8_t *signature) {
    if (!fti_crypto_ready()) return 0;
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int valid = key != NULL && context != NULL &&
                EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, 64, message, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return valid;
}

