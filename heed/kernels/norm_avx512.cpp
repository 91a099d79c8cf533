#include "heed/kernels/norm_leaf.h"
