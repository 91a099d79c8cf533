#include "heed/kernels/math_leaf.h"
