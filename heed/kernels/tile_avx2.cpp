#include "heed/kernels/tile_leaf.h"
