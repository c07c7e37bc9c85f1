/// Hot loops with run-time dispatch; every one has a portable path that gives the same result.
#pragma once
#include "checksum.h"
#include "cutting.h"
#include "json.h"
#include "keyed_hash.h"
#include "planes.h"
#include "sha256.h"
#include "vectors.h"
