// Learning rates that fall from the top of a model to its bottom: what lies near the input is the
// most general and need change the least.                     Howard and Ruder 2018, section 3.2
#pragma once

#include <vector>

#include "heed/training/named_parameters.h"

namespace heed::training {

// What the learning rate of each parameter is multiplied by: decay^d. d is 0 of what stands on the
// layers (a head, a last norm), 1 of the last layer ("….layer_11.…"), 2 of that below it and so on,
// and one more than of the first layer of what lies below them all (embeddings).
std::vector<double> rate_factors(const NamedTensors& parameters, double decay);

}  // namespace heed::training
