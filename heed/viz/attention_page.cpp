#include "heed/viz/attention_page.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/io/json.h"
#include "heed/viz/drawing/canvas.h"
#include "heed/viz/page/markup.h"
#include "heed/viz/page/page_files.h"

namespace heed {
namespace {

constexpr int64_t kMostBytes = 13'500'000;  // before base64, which adds a third
constexpr uint16_t kNobody = 0xffff;
constexpr double kEntropyStep = 1.0 / 5000;  // nats; data.js knows it

static_assert(std::endian::native == std::endian::little, "the page reads little-endian words");

// Bytes of one layer, in the order in which data.js takes them: all 16-bit words before the bytes.
class Packed {
 public:
  void words(const std::vector<float>& values, double scale) {
    for (const float value : values) word(quantised(value, scale, 65535));
  }
  void keys(const std::vector<int64_t>& keys) {
    for (const int64_t key : keys) word(key < 0 ? kNobody : static_cast<uint16_t>(key));
  }
  void bytes(const float* values, size_t count, double scale) {
    for (size_t i = 0; i < count; ++i) {
      bytes_.push_back(static_cast<unsigned char>(quantised(values[i], scale, 255)));
    }
  }
  std::string base64() const { return base64_of(bytes_); }

 private:
  // What is no number counts as 0.
  static uint16_t quantised(float value, double scale, double most) {
    const double scaled = static_cast<double>(value) * scale;
    return scaled > 0 ? static_cast<uint16_t>(std::lround(std::min(scaled, most))) : uint16_t{0};
  }
  void word(uint16_t word) {
    bytes_.push_back(static_cast<unsigned char>(word & 0xff));
    bytes_.push_back(static_cast<unsigned char>(word >> 8));
  }

  std::vector<unsigned char> bytes_;
};

void pack(Packed& packed, const LargestWeights& weights) {
  packed.keys(weights.keys);
  packed.words(weights.values, 65535);
}

std::string packed_layer(const AttentionPageLayer& layer) {
  Packed packed;
  pack(packed, layer.heads);
  packed.words(layer.entropies, 1 / kEntropyStep);
  pack(packed, layer.mean);
  pack(packed, layer.rollout);
  packed.bytes(layer.gradients.data(), layer.gradients.size(), 255);
  return packed.base64();
}

// The small picture of each head, its largest mean in full colour.
std::string packed_blocks(const AttentionPage& page) {
  Packed packed;
  const auto size = static_cast<size_t>(page.block_rows * page.block_columns);
  for (const AttentionPageLayer& layer : page.layers) {
    for (size_t head = 0; head < page.heads.size(); ++head) {
      const float* first = layer.blocks.data() + head * size;
      const auto largest = static_cast<double>(*std::max_element(first, first + size));
      packed.bytes(first, size, largest > 0 ? 255 / largest : 0);
    }
  }
  return packed.base64();
}

// Over how many tokens each head spreads its look: the mean of exp(entropy) over the queries.
std::vector<double> spreads_of(const AttentionPage& page) {
  std::vector<double> spreads;
  for (const AttentionPageLayer& layer : page.layers) {
    for (size_t head = 0; head < page.heads.size(); ++head) {
      double sum = 0;
      for (size_t query = 0; query < page.queries.size(); ++query) {
        sum += std::exp(static_cast<double>(layer.entropies[head * page.queries.size() + query]));
      }
      spreads.push_back(sum / static_cast<double>(page.queries.size()));
    }
  }
  return spreads;
}

OrderedJson picture_json(const AttentionPagePicture& picture) {
  const double down = picture.covered_height / static_cast<double>(picture.height);
  const double across = picture.covered_width / static_cast<double>(picture.width);
  return {{"size", {picture.height, picture.width}},
          {"first", picture.first},
          {"rows", picture.rows},
          {"columns", picture.columns},
          {"covered", {down, across}},  // shares of the picture
          {"timeline", picture.timeline},
          {"part", picture.part},
          {"about", picture.about},
          {"source", "data:image/png;base64," +
                         base64_of(png_of(picture.height, picture.width, picture.pixels))}};
}

// JSON that may stand inside a script element: nothing in it can end that.
std::string json_of(const AttentionPage& page) {
  const AttentionPageLayer& first = page.layers.front();
  OrderedJson json = {{"queries", page.queries},
                      {"keys", page.keys == page.queries ? OrderedJson() : OrderedJson(page.keys)},
                      {"heads", page.heads},
                      {"kept", page.kept},
                      {"blocks", {page.block_rows, page.block_columns}},
                      {"spreads", spreads_of(page)},
                      {"alignment", page.alignment},
                      {"left", page.left},
                      {"right", page.right},
                      {"notes", page.notes},
                      {"gradient", !first.gradients.empty()},
                      {"mean", !first.mean.keys.empty()},
                      {"rollout", !first.rollout.keys.empty()}};
  if (page.picture) json["picture"] = picture_json(*page.picture);
  for (const AttentionPageLayer& layer : page.layers) json["layers"].push_back(layer.name);
  std::string text = json.dump(-1, ' ', true, OrderedJson::error_handler_t::replace);
  for (size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at)) {
    text.replace(at, 1, "\\u003c");
  }
  return text;
}

void check_count(size_t found, int64_t expected, const char* what) {
  check_usage(std::cmp_equal(found, expected), "attention page: expected ", expected, ' ', what,
              ", got ", found);
}

void check_parts(const AttentionPage& page) {
  const AttentionPagePicture& picture = *page.picture;
  check_usage(picture.height > 0 && picture.width > 0 && picture.first >= 0 && picture.rows > 0 &&
                  picture.columns > 0 && picture.covered_height > 0 && picture.covered_width > 0,
              "attention page: expected a picture with pixels and cells");
  check_count(picture.pixels.size(), picture.height * picture.width, "pixels");
  check_count(page.keys.size(), picture.first + picture.rows * picture.columns, "tokens");
  check_usage(page.queries == page.keys,
              "attention page: expected queries that are the keys, as the parts of a picture are");
}

void check_page(const AttentionPage& page) {
  const auto heads = std::ssize(page.heads), queries = std::ssize(page.queries);
  const auto keys = std::ssize(page.keys);
  check_usage(!page.layers.empty() && heads > 0 && queries > 0 && keys > 0 && page.kept > 0 &&
                  page.block_rows > 0 && page.block_columns > 0,
              "attention page: expected at least one layer, head, query, key, weight and block");
  check_usage(keys < kNobody, "attention page: expected at most 65534 keys, got ", keys);
  if (page.picture) check_parts(page);
  const AttentionPageLayer& first = page.layers.front();
  const auto check_weights = [&](const LargestWeights& weights, int64_t rows) {
    check_count(weights.values.size(), rows * page.kept, "weights");
    check_count(weights.keys.size(), rows * page.kept, "keys of weights");
    for (const int64_t key : weights.keys) {
      check_usage(key >= -1 && key < keys, "attention page: key ", key, " of ", keys);
    }
  };
  for (const AttentionPageLayer& layer : page.layers) {
    check_weights(layer.heads, heads * queries);
    check_count(layer.entropies.size(), heads * queries, "entropies");
    check_count(layer.blocks.size(), heads * page.block_rows * page.block_columns, "blocks");
    check_count(layer.gradients.size(), first.gradients.empty() ? 0 : heads * queries * page.kept,
                "gradients");
    check_weights(layer.mean, first.mean.keys.empty() ? 0 : queries);
    check_weights(layer.rollout, first.rollout.keys.empty() ? 0 : queries);
  }
}

// What a part of the page's text stands for.
std::string part_of(const AttentionPage& page, std::string_view name) {
  if (name == "title") return escaped_markup(page.title);
  if (name == "style") return std::string(page_files::style());
  if (name == "data") return json_of(page);
  std::string part;
  if (name == "script") {
    for (const std::string_view script : page_files::scripts()) part += script;
  } else if (name == "layers") {
    const auto element = [&](const std::string& id, const std::string& text) {
      part += text_of("<script type=\"text/plain\" id=\"", id, "\">", text, "</script>\n");
    };
    element("overview-data", packed_blocks(page));
    for (size_t i = 0; i < page.layers.size(); ++i) {
      element("layer-" + std::to_string(i), packed_layer(page.layers[i]));
    }
  }
  return part;
}

}  // namespace

int64_t weights_that_fit(int64_t rows, int64_t mean_rows, int64_t keys) {
  const int64_t one_of_each = 5 * rows + 4 * mean_rows;  // key, value, a byte of the gradient
  return std::min(keys, std::max<int64_t>(4, kMostBytes / std::max<int64_t>(one_of_each, 1)));
}

std::string attention_page_html(const AttentionPage& page) {
  check_page(page);
  std::string html;
  std::string_view text = page_files::html();
  while (true) {
    const size_t begin = text.find("{{");
    html += text.substr(0, begin);
    if (begin == std::string_view::npos) return html;
    const size_t end = text.find("}}", begin);
    html += part_of(page, text.substr(begin + 2, end - begin - 2));
    text.remove_prefix(end + 2);
  }
}

void write_attention_page(const AttentionPage& page, const std::filesystem::path& path) {
  const std::string html = attention_page_html(page);
  AtomicFile file(path);
  file.write(html);
  file.commit();
}

}  // namespace heed
