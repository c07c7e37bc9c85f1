#pragma once
#include <stdbool.h>
#include <uchardet/uchardet.h>
