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
/// the norm, at least |v|. A vector with a number that is not finite has codes and scale 0 and an infinite
/// residual and norm.
void fti_code_vectors(const void *vectors, size_t rows, size_t dimension, size_t stride, void *scales,
                      void *residuals, void *norms, int8_t *codes);

/// The same result without vector instructions; tests compare the two.
void fti_code_vectors_portable(const void *vectors, size_t rows, size_t dimension, size_t stride,
                               void *scales, void *residuals, void *norms, int8_t *codes);
