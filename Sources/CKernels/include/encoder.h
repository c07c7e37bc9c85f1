/// The arithmetic of transformer encoders in fp32.
///
/// Every sum is made in the order of its terms, whatever the width of the processor's vectors and however rows are grouped. So the
/// same text gives the same bits on all processors with fused multiplication and addition (x86-64 since 2013, ARM64), and
/// alone as in a batch. Rows of activations are padded with zeros to a multiple of FTI_PANEL numbers.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The number of outputs in a panel of packed weights.
enum { FTI_PANEL = 32 };

/// What is applied to each output of a dense layer.
enum fti_activation {
    FTI_IDENTITY,
    /// x times the normal distribution function of x.
    FTI_GELU,
    /// The approximation of GELU by tanh.
    FTI_GELU_TANH,
    FTI_RELU,
    FTI_TANH,
};

/// The types of stored numbers.
enum fti_number { FTI_FLOAT32, FTI_FLOAT16, FTI_BFLOAT16 };

/// Converts `count` little-endian numbers at any address to floats, exactly; returns whether all of them are finite.
bool fti_widen(const void *numbers, size_t count, enum fti_number type, float *floats);

/// Packs `outputs` x `inputs` weights (row-major: one row for each output) into panels of FTI_PANEL outputs, which takes
/// `inputs` times the padded number of outputs; the padding is 0.
void fti_pack_weights(const float *weights, size_t outputs, size_t inputs, float *packed);

/// Makes `count` rows of `outputs` numbers: the activation of each row's product with the weights, plus the bias.
///
/// `stride` and `result_stride` are the distances of rows; `outputs`, `bias` and the rows of `result` are padded.
void fti_dense(const float *rows, size_t stride, size_t count, size_t inputs, const float *packed,
               const float *bias, size_t outputs, enum fti_activation activation, float *result,
               size_t result_stride);

/// The number of floats that `fti_attention` needs as scratch for texts of up to `count` tokens and heads of `width`.
size_t fti_attention_scratch(size_t count, size_t width);

/// Attention of the tokens of `texts` texts, one after another, of `lengths` tokens each: writes to the rows of `context` what
/// each of `heads` heads of `width` numbers attends to in the same text. The queries, keys and values of a token are at
/// `rows`, `rows + part` and `rows + 2 * part`. `scratch` has room for the longest text.
void fti_attention(const float *rows, size_t stride, size_t part, const int32_t *lengths, size_t texts,
                   size_t heads, size_t width, float *scratch, float *context, size_t context_stride);

/// Adds the row of a table at each index to the row at the same place.
void fti_add_rows(const float *table, size_t width, const int32_t *indexes, size_t count, float *rows,
                  size_t stride);

/// Adds `added` to `rows` and normalizes each row of `width` numbers: mean 0 and variance 1, then times `scale` plus `shift`.
/// `added` may be NULL.
void fti_add_and_normalize(float *rows, const float *added, size_t stride, size_t count, size_t width,
                           const float *scale, const float *shift, float epsilon);

/// The instruction sets that the kernels are built for.
enum fti_instructions { FTI_BASELINE, FTI_AVX2, FTI_AVX512 };

/// Makes the kernels use at most these instructions, so that tests can compare them; returns those that they use.
enum fti_instructions fti_limit_instructions(enum fti_instructions limit);
