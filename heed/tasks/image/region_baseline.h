// What a sceptic would try first to find objects: regions that stand out from their background.
#pragma once

#include <vector>

#include "heed/data/images/object_data.h"
#include "heed/metrics/detection.h"

namespace heed::tasks {

// Pixels on the rarer side of a threshold of grey that touch each other are an object; its class is
// told by least squares from the pixels of its box, brought to 12 × 12, as fitted on the real boxes
// of `train` (at most 20,000). The threshold is the one that parts the grey of `train` best.
//   Otsu 1979, "A Threshold Selection Method from Gray-Level Histograms"
// Boxes are in the pixels of the pictures' files; regions of fewer than 4 pixels are left out.
std::vector<metrics::FoundObject> region_baseline(const data::ObjectData& train,
                                                  const data::ObjectData& measured);

}  // namespace heed::tasks
