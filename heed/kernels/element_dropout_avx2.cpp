#include "heed/kernels/element_dropout_leaf.h"
