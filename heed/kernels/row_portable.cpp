#include "heed/kernels/row_table_leaf.h"
