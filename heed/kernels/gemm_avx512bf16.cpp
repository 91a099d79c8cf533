#include "heed/kernels/gemm_leaf.h"
