#include "heed/kernels/softmax_loss_leaf.h"
