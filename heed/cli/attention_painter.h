// Adapters of tasks whose inputs are to be seen themselves, and not only matrices over them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace heed::cli {

// A TaskAdapter that draws the pictures of `heed attend` itself is one of these besides.
class AttentionPainter {
 public:
  virtual ~AttentionPainter() = default;

  // Draws what layers and heads (from 0) attend to in the input that `argument` names to `path`,
  // and returns what whoever asked for it should know.
  virtual std::vector<std::string> draw(const std::string& argument, const std::string& path,
                                        const std::vector<int64_t>& layers,
                                        const std::vector<int64_t>& heads) const = 0;
};

}  // namespace heed::cli
