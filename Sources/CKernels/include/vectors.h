/// Vectors of fp32 numbers, their codes of one byte a number, and their signs.
///
/// Numbers are little-endian and may lie at any address.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Codes `rows` vectors of `dimension` numbers.
///
/// For each vector v it writes `stride` codes c (a multiple of 64, at least `dimension`; zeros after the
/// last number) in -127...127 and three fp32 numbers: the scale s, the residual, at least |v - s c|, and
/// the norm, at least |v|. A vector with a number that is not finite, or whose norm is not below 2^63, has
/// codes and scale 0 and an infinite residual and norm.
void fti_code_vectors(const void *vectors, size_t rows, size_t dimension, size_t stride, void *scales,
                      void *residuals, void *norms, int8_t *codes);

/// The same result without vector instructions; tests compare the two.
void fti_code_vectors_portable(const void *vectors, size_t rows, size_t dimension, size_t stride,
                               void *scales, void *residuals, void *norms, int8_t *codes);

/// The exact inner products of `rows` rows of `stride` codes (a multiple of 64) with a query's codes, which
/// must lie in -127...127.
void fti_code_products(const int8_t *codes, size_t rows, size_t stride, const int8_t *query,
                       int32_t *products);

/// The same result without vector instructions.
void fti_code_products_portable(const int8_t *codes, size_t rows, size_t stride, const int8_t *query,
                                int32_t *products);

/// What is known of the products of a query q with any vector v, once the product of their codes is known:
/// q.v, as `fti_dot` rounds it, is within
///   v.norm * norm + v.residual * residual + rest   of   v.scale * scale * codes.codes.
struct fti_code_bound {
    double scale, norm, residual, rest;
};

/// Writes, ascending, the places of the rows whose product may exceed `threshold`, and returns their count.
/// A bound that is no number excludes nothing.
size_t fti_code_select(const int32_t *products, const float *scales, const float *residuals,
                       const float *norms, size_t rows, const struct fti_code_bound *bound,
                       double threshold, uint32_t *selected);

/// The same result without vector instructions.
size_t fti_code_select_portable(const int32_t *products, const float *scales, const float *residuals,
                                const float *norms, size_t rows, const struct fti_code_bound *bound,
                                double threshold, uint32_t *selected);

/// The inner product of two vectors in fp32, nothing fused: element i is added to partial sum i mod 8, the
/// partial sums as ((0+4)+(2+6)) + ((1+5)+(3+7)), and the elements after the last whole group of eight one
/// by one afterwards.
float fti_dot(const float *left, const float *right, size_t count);

/// The same result without vector instructions.
float fti_dot_portable(const float *left, const float *right, size_t count);

/// The signs of 64 `words` codes: bit i of word w is set where code 64 w + i is below zero.
void fti_code_signs(const int8_t *codes, size_t words, uint64_t *signs);

/// In how many signs each of `rows` rows of `words` words differs from a query.
void fti_sign_distances(const uint64_t *signs, size_t rows, size_t words, const uint64_t *query,
                        uint32_t *distances);

/// Writes, ascending, the places of the distances that are not above `limit`, and returns their count.
size_t fti_distance_select(const uint32_t *distances, size_t rows, uint32_t limit, uint32_t *selected);

/// The same result without vector instructions.
void fti_sign_distances_portable(const uint64_t *signs, size_t rows, size_t words,
                                 const uint64_t *query, uint32_t *distances);
