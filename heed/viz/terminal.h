// One row of attention in a terminal: each token on a background as dark as its weight, or followed
// by a percentage where there are no colours.
#pragma once

#include <string>
#include <vector>

namespace heed {

struct TerminalOptions {
  bool colors = false;  // 24-bit escape codes; ask colors_wanted(descriptor) of base/progress.h
  int width = 80;       // wraps before this column
  float high = 0;       // the weight of full colour; 0: the largest of the row
};

// `tokens` (UTF-8) with their `weights`, in lines that end in '\n'. Control characters and bytes
// that are not UTF-8 are replaced, so a token cannot write escape codes of its own.
// Errors: UsageError if the counts differ.
std::string attention_text(const std::vector<std::string>& tokens,
                           const std::vector<float>& weights, const TerminalOptions& options = {});

}  // namespace heed
