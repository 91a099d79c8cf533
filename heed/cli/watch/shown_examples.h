// What a trained model makes of a few examples: its answers, and where it looks.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "heed/cli/options/options.h"
#include "heed/cli/watch/held_out.h"
#include "heed/viz/report_page.h"

namespace heed::cli {

struct ShownExample {
  ReportSection section;
  std::string page = {};  // HTML to explore its attention with, which the section's link names
};

// Loads the model of the directory beside the one that may be in training, whose random numbers
// stay as they are. `command`: `heed train …` with what was given. What cannot be shown is a
// section that says why; nothing is thrown.
std::vector<ShownExample> shown_examples(const std::filesystem::path& model, const Options& command,
                                         const HeldOut& held_out);

}  // namespace heed::cli
