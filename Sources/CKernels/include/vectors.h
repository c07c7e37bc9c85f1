/// Vectors of fp32 numbers, their codes of one byte per number, and the signs of the codes.
///
/// Numbers are little-endian and may lie at any address.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Encodes `rows` vectors of `dimension` numbers.
///
/// For each vector v, writes `stride` codes c in -127...127, with zeros after the last number (`stride` is a multiple
/// of 64 and at least `dimension`), and three fp32 numbers: the scale s, the residual, which is at least |v - s c|, and
/// the norm, which is at least |v|. A vector with a number that is not finite, or with a norm that is not below 2^63,
/// has codes and scale 0 and an infinite residual and norm.
void fti_code_vectors(const void *vectors, size_t rows, size_t dimension, size_t stride, void *scales,
                      void *residuals, void *norms, int8_t *codes);

/// The same result with baseline instructions only; tests compare the two.
void fti_code_vectors_portable(const void *vectors, size_t rows, size_t dimension, size_t stride,
                               void *scales, void *residuals, void *norms, int8_t *codes);

/// The exact inner products of `rows` rows of `stride` codes (a multiple of 64) with a query's codes, which
/// must lie in -127...127.
void fti_code_products(const int8_t *codes, size_t rows, size_t stride, const int8_t *query,
                       int32_t *products);

/// The same result with baseline instructions only.
void fti_code_products_portable(const int8_t *codes, size_t rows, size_t stride, const int8_t *query,
                                int32_t *products);

/// Bounds the product of a query q and any vector v by the product of their codes. With q.v as `fti_dot` rounds it,
///   |q.v - v.scale * scale * codes.codes| <= v.norm * norm + v.residual * residual + rest.
struct fti_code_bound {
    double scale, norm, residual, rest;
};

/// Writes the indexes of the rows whose product may exceed `threshold`, in ascending order, and returns their number. A
/// row whose bound is NaN stays.
size_t fti_code_select(const int32_t *products, const float *scales, const float *residuals,
                       const float *norms, size_t rows, const struct fti_code_bound *bound,
                       double threshold, uint32_t *selected);

/// The same result with baseline instructions only.
size_t fti_code_select_portable(const int32_t *products, const float *scales, const float *residuals,
                                const float *norms, size_t rows, const struct fti_code_bound *bound,
                                double threshold, uint32_t *selected);

/// The inner product of two vectors in fp32, without fused operations. Product i goes to partial sum i mod 8, and the
/// partial sums are added as ((0+4)+(2+6)) + ((1+5)+(3+7)). The products after the last whole group of eight are then
/// added one by one.
float fti_dot(const float *left, const float *right, size_t count);

/// The same result with baseline instructions only.
float fti_dot_portable(const float *left, const float *right, size_t count);

/// The signs of 64 * `words` codes: bit i of word w is set where code 64 w + i is below zero.
void fti_code_signs(const int8_t *codes, size_t words, uint64_t *signs);

/// The Hamming distance of each of `rows` rows of `words` words from a query.
void fti_sign_distances(const uint64_t *signs, size_t rows, size_t words, const uint64_t *query,
                        uint32_t *distances);

/// Writes the indexes of the distances up to `limit`, in ascending order, and returns their number.
size_t fti_distance_select(const uint32_t *distances, size_t rows, uint32_t limit, uint32_t *selected);

/// The same result as `fti_sign_distances`, with baseline instructions only.
void fti_sign_distances_portable(const uint64_t *signs, size_t rows, size_t words,
                                 const uint64_t *query, uint32_t *distances);
