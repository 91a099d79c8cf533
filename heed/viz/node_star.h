// A node of a graph in the middle, those that it attends to around it, and with which weights.
#pragma once

#include <string>
#include <vector>

namespace heed {

struct NodeStar {
  std::string title = {};
  std::string node = {};
  std::vector<std::string> neighbours = {};  // may hold the node itself
  struct Layer {
    std::string title = {};
    std::vector<float> weights = {};  // of the neighbours
  };
  std::vector<Layer> layers = {};  // a panel each
};

// More neighbours than this are not drawn: those with the largest weights are.
inline constexpr size_t kMostNeighbours = 30;

// Draws to `path`, which must end in .png, .svg or .pdf, and returns what whoever asked for it
// should know. An edge is the wider and the darker, the larger its weight; what the node keeps of
// itself stands below it. Errors: UsageError for counts that do not match and another file
// extension; IoError if the file cannot be written.
std::vector<std::string> write_node_star(const NodeStar& star, const std::string& path);

}  // namespace heed
