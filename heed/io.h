// Files: strict JSON, safetensors, lines of plain and gzip files, saving that leaves the old file
// or the new one whole.
#pragma once

#include "heed/io/atomic.h"
#include "heed/io/file.h"
#include "heed/io/input.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"
#include "heed/io/weights/safetensors.h"
