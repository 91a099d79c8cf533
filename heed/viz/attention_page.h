// A page to explore attention with: one HTML file with everything in it, which needs no network.
// It holds the largest weights of each query and not the matrices, so that its size grows with the
// text and not with its square.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

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
  std::vector<AttentionPageLayer> layers;
};

// How many weights of each query fit into a page that stays under about 20 MB, at least 4 and at
// most all `keys`. `rows`: queries × heads of all layers; `mean_rows`: of means and rollouts.
int64_t weights_that_fit(int64_t rows, int64_t mean_rows, int64_t keys);

// Errors: UsageError for counts that do not match, for more than 65,534 keys, and where gradients,
// means or rollouts are there for some layers only.
std::string attention_page_html(const AttentionPage& page);

// Writes it, whole or not at all. Errors: those of attention_page_html; IoError.
void write_attention_page(const AttentionPage& page, const std::filesystem::path& path);

}  // namespace heed
