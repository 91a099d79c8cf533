// Which examples the doctor looks at closely.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "heed/data/texts/classification_data.h"
#include "heed/doctor/samples.h"

namespace heed::cli {

// Every so many of them, the shortest and the longest among them; at most 32. Left out are those of
// more than 4,000 bytes, whose matrices are too large to be looked at, and those without a word.
std::vector<std::string> some_of(std::vector<std::string> inputs);

// Of files of texts, as training would read them; each text on one line.
std::vector<std::string> some_texts(const std::vector<std::string>& files, doctor::DataTask task,
                                    const data::ReadOptions& options = {});

}  // namespace heed::cli
