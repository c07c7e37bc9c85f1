/// Hot loops, most of which choose their instructions at run time. Each one except SHA-256 has a portable path with the
/// same result.
#pragma once
#include "checksum.h"
#include "cutting.h"
#include "encoder.h"
#include "json.h"
#include "keyed_hash.h"
#include "planes.h"
#include "sha256.h"
#include "terms.h"
#include "vectors.h"
