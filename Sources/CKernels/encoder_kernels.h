// Included by encoder.c once for each instruction set, without an include guard. NAME makes the names of the set. TILE_ROWS
// by TILE_VECTORS vectors of results stay in registers; both divide TILE and PANEL / 16.

INLINE vector NAME(load)(const float *from) { return *(const unaligned_vector *)from; }
INLINE void NAME(store)(float *to, vector value) { *(unaligned_vector *)to = value; }
INLINE vector NAME(splat)(float value) { return value - (vector){}; }

INLINE float NAME(sum)(vector v) {
    float lanes[16];
    NAME(store)(lanes, v);
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    return lanes[0];
}

INLINE float NAME(maximum)(vector v) {
    float lanes[16];
    NAME(store)(lanes, v);
    float greatest = lanes[0];
    for (int i = 1; i < 16; i++) greatest = lanes[i] > greatest ? lanes[i] : greatest;
    return greatest;
}

// e^x by 2^n times a polynomial of degree 6 on [-ln 2 / 2, ln 2 / 2] (Cephes, `expf`); relative error below 2e-7.
INLINE vector NAME(exp)(vector x) {
    x = __builtin_elementwise_min(__builtin_elementwise_max(x, NAME(splat)(-87)), NAME(splat)(88));
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer.
    vector n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
    vector r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    integers exponent = (__builtin_convertvector(n, integers) + 127) << 23;
    return p * (vector)exponent;
}

// The error function by formula 7.1.26 of Abramowitz and Stegun; absolute error below 2e-7.
INLINE vector NAME(erf)(vector x) {
    vector magnitude = __builtin_elementwise_abs(x);
    vector t = 1.0f / (magnitude * 0.3275911f + 1.0f);
    vector p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    return __builtin_elementwise_copysign(1.0f - p * t * NAME(exp)(-(x * x)), x);
}

INLINE vector NAME(activate)(vector x, enum fti_activation activation) {
    switch (activation) {
    case FTI_IDENTITY: return x;
    case FTI_GELU: return x * 0.5f * (NAME(erf)(x * 0.70710678118654752f) + 1.0f);
    // x times the logistic function of 2 sqrt(2 / pi) (x + 0.044715 x^3).
    case FTI_GELU_TANH:
        return x / (NAME(exp)((x * x * x * 0.044715f + x) * -1.5957691216057308f) + 1.0f);
    case FTI_RELU: return __builtin_elementwise_max(x, (vector){});
    case FTI_TANH: return 1.0f - 2.0f / (NAME(exp)(x * 2.0f) + 1.0f);
    }
    return x;
}

// Adds to a tile of `height` rows the product of that many rows and `depth` rows of a panel. The sums begin with `start`, or
// with what the tile holds if that is NULL.
INLINE void NAME(tile)(const int height, const float *rows, size_t stride, const float *panel,
                       size_t depth, const float *start, float *tile, size_t tile_stride) {
    vector sums[TILE_ROWS][TILE_VECTORS];
    for (int i = 0; i < height; i++)
        for (int j = 0; j < TILE_VECTORS; j++)
            sums[i][j] = NAME(load)((start ? start : tile + (size_t)i * tile_stride) + 16 * j);
    for (size_t k = 0; k < depth; k++) {
        vector column[TILE_VECTORS];
        for (int j = 0; j < TILE_VECTORS; j++)
            column[j] = NAME(load)(panel + FTI_PANEL * k + 16 * j);
        for (int i = 0; i < height; i++) {
            vector row = NAME(splat)(rows[(size_t)i * stride + k]);
            for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = row * column[j] + sums[i][j];
        }
    }
    for (int i = 0; i < height; i++)
        for (int j = 0; j < TILE_VECTORS; j++)
            NAME(store)(tile + (size_t)i * tile_stride + 16 * j, sums[i][j]);
}

// The same for any number of rows and the whole width of a panel.
INLINE void NAME(strip)(const float *rows, size_t stride, size_t count, const float *panel,
                        size_t depth, const float *start, float *result, size_t result_stride) {
    for (int j = 0; j < FTI_PANEL; j += 16 * TILE_VECTORS) {
        const float *first = start ? start + j : NULL;
        size_t i = 0;
        for (; i + TILE_ROWS <= count; i += TILE_ROWS)
            NAME(tile)(TILE_ROWS, rows + i * stride, stride, panel + j, depth, first,
                       result + i * result_stride + j, result_stride);
        if (i + TILE_ROWS / 2 <= count) {
            NAME(tile)(TILE_ROWS / 2, rows + i * stride, stride, panel + j, depth, first,
                       result + i * result_stride + j, result_stride);
            i += TILE_ROWS / 2;
        }
        for (; i < count; i++)
            NAME(tile)(1, rows + i * stride, stride, panel + j, depth, first,
                       result + i * result_stride + j, result_stride);
    }
}

static void NAME(dense)(const float *rows, size_t stride, size_t count, size_t inputs,
                        const float *packed, const float *bias, size_t outputs,
                        enum fti_activation activation, float *result, size_t result_stride) {
    for (size_t first = 0; first < count; first += BLOCK_ROWS) {
        size_t height = count - first < BLOCK_ROWS ? count - first : BLOCK_ROWS;
        for (size_t k = 0; k < inputs; k += BLOCK_DEPTH) {
            size_t depth = inputs - k < BLOCK_DEPTH ? inputs - k : BLOCK_DEPTH;
            bool is_last = k + depth == inputs;
            for (size_t j = 0; j < outputs; j += FTI_PANEL) {
                float *strip = result + first * result_stride + j;
                NAME(strip)(rows + first * stride + k, stride, height, packed + j * inputs + k * FTI_PANEL,
                            depth, k == 0 ? bias + j : NULL, strip, result_stride);
                if (!is_last || activation == FTI_IDENTITY) continue;
                for (size_t i = 0; i < height; i++)
                    for (size_t c = 0; c < FTI_PANEL; c += 16) {
                        float *at = strip + i * result_stride + c;
                        NAME(store)(at, NAME(activate)(NAME(load)(at), activation));
                    }
            }
        }
    }
}

// Turns a row of `count` scores into weights that add up to 1; the padding becomes 0.
INLINE void NAME(softmax)(float *scores, size_t count, float scale) {
    for (size_t j = count; j < padded(count); j++) scores[j] = -INFINITY;
    vector greatest = NAME(load)(scores);
    for (size_t j = 16; j < padded(count); j += 16)
        greatest = __builtin_elementwise_max(greatest, NAME(load)(scores + j));
    vector maximum = NAME(splat)(NAME(maximum)(greatest));
    vector sums = {};
    for (size_t j = 0; j < padded(count); j += 16) {
        vector weight = NAME(exp)((NAME(load)(scores + j) - maximum) * scale);
        NAME(store)(scores + j, weight);
        for (size_t lane = j < count ? count - j : 0; lane < 16; lane++) scores[j + lane] = 0;
        sums += NAME(load)(scores + j);
    }
    vector inverse = NAME(splat)(1 / NAME(sum)(sums));
    for (size_t j = 0; j < padded(count); j += 16)
        NAME(store)(scores + j, NAME(load)(scores + j) * inverse);
}

// The attention of one text.
static void NAME(attention)(const float *rows, size_t stride, size_t part, size_t count,
                            size_t heads, size_t width, float *scratch, float *context,
                            size_t context_stride) {
    static const float zeros[FTI_PANEL];
    size_t columns = padded(count), panels = padded(width);
    float *keys = scratch, *values = keys + columns * width, *scores = values + count * panels,
          *attended = scores + ATTENTION_ROWS * columns;
    for (size_t i = 0; i < columns * width; i++) keys[i] = 0;
    for (size_t i = 0; i < count * panels; i++) values[i] = 0;
    for (size_t head = 0; head < heads; head++) {
        const float *query = rows + head * width, *key = query + part, *value = key + part;
        for (size_t t = 0; t < count; t++)
            for (size_t k = 0; k < width; k++) {
                keys[t / FTI_PANEL * FTI_PANEL * width + k * FTI_PANEL + t % FTI_PANEL] = key[t * stride + k];
                values[k / FTI_PANEL * FTI_PANEL * count + t * FTI_PANEL + k % FTI_PANEL] =
                    value[t * stride + k];
            }
        for (size_t first = 0; first < count; first += ATTENTION_ROWS) {
            size_t height = count - first < ATTENTION_ROWS ? count - first : ATTENTION_ROWS;
            for (size_t j = 0; j < columns; j += FTI_PANEL)
                NAME(strip)(query + first * stride, stride, height, keys + j * width, width, zeros,
                            scores + j, columns);
            for (size_t i = 0; i < height; i++)
                NAME(softmax)(scores + i * columns, count, 1 / sqrtf((float)width));
            for (size_t j = 0; j < panels; j += FTI_PANEL)
                NAME(strip)(scores, columns, height, values + j * count, count, zeros, attended + j,
                            panels);
            for (size_t i = 0; i < height; i++)
                memcpy(context + (first + i) * context_stride + head * width, attended + i * panels,
                       width * sizeof(float));
        }
    }
}

static void NAME(add_and_normalize)(float *rows, const float *added, size_t stride, size_t count,
                                    size_t width, const float *scale, const float *shift,
                                    float epsilon) {
    size_t whole = width / 16 * 16;
    for (size_t i = 0; i < count; i++) {
        float *row = rows + i * stride;
        vector sums = {};
        float rest = 0;
        for (size_t j = 0; j < whole; j += 16) {
            vector x = NAME(load)(row + j);
            if (added) x += NAME(load)(added + i * stride + j);
            NAME(store)(row + j, x);
            sums += x;
        }
        for (size_t j = whole; j < width; j++) rest += row[j] += added ? added[i * stride + j] : 0;
        float mean = (NAME(sum)(sums) + rest) / (float)width;
        sums = (vector){};
        rest = 0;
        for (size_t j = 0; j < whole; j += 16) {
            vector x = NAME(load)(row + j) - mean;
            sums += x * x;
        }
        for (size_t j = whole; j < width; j++) rest += (row[j] - mean) * (row[j] - mean);
        float inverse = 1 / sqrtf((NAME(sum)(sums) + rest) / (float)width + epsilon);
        for (size_t j = 0; j < whole; j += 16) {
            vector x = (NAME(load)(row + j) - mean) * inverse;
            NAME(store)(row + j, x * NAME(load)(scale + j) + NAME(load)(shift + j));
        }
        for (size_t j = whole; j < width; j++) row[j] = (row[j] - mean) * inverse * scale[j] + shift[j];
    }
}
