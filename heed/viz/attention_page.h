// A page to explore attention with: one HTML file with everything in it, which needs no network.
// It holds the largest weights of each query and not the matrices, so that its size grows with the
// text and not with its square.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heed/viz/drawing/color_map.h"

namespace heed {

// Of each query the `kept` largest weights and their keys, row-major; key −1: no weight there.
struct LargestWeights {
  std::vector<float> values;
  std::vector<int64_t> keys;
};

struct AttentionPageLayer {
  int64_t name = 1;                   // its number, as people count
  LargestWeights heads;               // (H, Nq, kept)
  std::vector<float> gradients = {};  // (H, Nq, kept) from 0 to 1, beside the weights; or none
  LargestWeights mean = {};           // (Nq, kept) over all heads; or none
  LargestWeights rollout = {};        // (Nq, kept) through the layers up to this one; or none
  std::vector<float> entropies;       // (H, Nq) nats
  std::vector<float> blocks;  // (H, block_rows, block_columns) mean weights: a small picture
};

// What was looked at where it is no text: a picture, or a sound drawn as one. Its parts are tokens,
// queries and keys alike, and the weights are laid over them.
struct AttentionPagePicture {
  int64_t height = 0;  // pixels
  int64_t width = 0;
  std::vector<Color> pixels = {};  // (height, width)
  // Token `first` and those behind it are the cells of a grid, row by row; those before it, such as
  // a class token, have no place in the picture.
  int64_t first = 0;
  int64_t rows = 0;
  int64_t columns = 0;
  double covered_height = 0;  // pixels under the grid, which may be more than there are
  double covered_width = 0;
  bool timeline = false;       // the columns are moments: stretched until each can be seen
  std::string part = "patch";  // what people call a cell
  std::string about = {};      // what to know of the model's parts to read the page
};

struct AttentionPage {
  std::string title;                 // what the model answered
  std::vector<std::string> queries;  // Nq tokens, any bytes
  std::vector<std::string> keys;     // Nk
  std::vector<int64_t> heads;        // their numbers, as people count
  int64_t kept = 0;
  int64_t block_rows = 0;
  int64_t block_columns = 0;
  // The strongest line of each query is what matters: a translation's words.
  bool alignment = false;
  std::string left = "tokens that look";  // what stands on the two sides
  std::string right = "tokens looked at";
  std::vector<std::string> notes = {};  // sentences for whoever reads the page
  std::optional<AttentionPagePicture> picture = {};
  std::vector<AttentionPageLayer> layers;
};

// How many weights of each query fit into a page that stays under about 20 MB, at least 4 and at
// most all `keys`. `rows`: queries × heads of all layers; `mean_rows`: of means and rollouts.
int64_t weights_that_fit(int64_t rows, int64_t mean_rows, int64_t keys);

// Errors: UsageError for counts that do not match, a picture whose cells are not the tokens among
// them, for more than 65,534 keys, and where gradients, means or rollouts are there for some layers
// only.
std::string attention_page_html(const AttentionPage& page);

// Writes it, whole or not at all. Errors: those of attention_page_html; IoError.
void write_attention_page(const AttentionPage& page, const std::filesystem::path& path);

}  // namespace heed
