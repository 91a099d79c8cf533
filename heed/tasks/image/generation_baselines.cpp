// What predicts the codes of pictures without a network.
#include <cmath>
#include <functional>
#include <numbers>

#include "heed/tasks/image/image_generation.h"

namespace heed::tasks {
namespace {

constexpr int64_t kMostCounted = 4096;  // codes, each of which is counted after each

// Counts of a code after each context; 1 / K is added to each, so that what never came is possible
// (Perks 1947). Memory grows with the contexts that there are.
class CodeCounts {
 public:
  CodeCounts(int64_t contexts, int64_t codes)
      : codes_(codes), rows_(static_cast<size_t>(contexts)), sums_(rows_.size()) {}

  void add(int64_t context, int64_t code) {
    std::vector<uint32_t>& row = rows_[static_cast<size_t>(context)];
    row.resize(static_cast<size_t>(codes_));
    ++row[static_cast<size_t>(code)];
    ++sums_[static_cast<size_t>(context)];
  }

  double nats(int64_t context, int64_t code) const {
    const std::vector<uint32_t>& row = rows_[static_cast<size_t>(context)];
    const double count = row.empty() ? 0.0 : row[static_cast<size_t>(code)];
    const double spread = 1 / static_cast<double>(codes_);
    return -std::log((count + spread) / (sums_[static_cast<size_t>(context)] + 1));
  }

 private:
  int64_t codes_;
  std::vector<std::vector<uint32_t>> rows_;  // (contexts, K); empty: nothing came
  std::vector<double> sums_;
};

// Where a code stands: its picture, its place in that, and the code before it, or K.
struct CodeAt {
  int64_t label = 0;
  int64_t place = 0;
  int64_t before = 0;
};

void for_each_code(const CodedImages& images, int64_t count, int64_t codes,
                   const std::function<void(const CodeAt&, int64_t code)>& use) {
  auto code = images.codes.begin();
  for (const int32_t label : images.classes) {
    CodeAt at{.label = label, .before = codes};
    for (at.place = 0; at.place < count; ++at.place) {
      use(at, *code);
      at.before = *code++;
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, double>> generation_baselines(
    const models::ImageGeneratorOptions& options, const CodedImages& train,
    const CodedImages& measured) {
  const int64_t count = models::code_options(options).count();
  const int64_t codes = options.codebook_size;
  if (codes > kMostCounted) return {};
  struct Kind {
    const char* name;
    int64_t contexts;
    std::function<int64_t(const CodeAt&)> context;
  };
  const std::vector<Kind> kinds = {
      {"place", count, [](const CodeAt& at) { return at.place; }},
      {"place, class", count * options.num_classes,
       [count](const CodeAt& at) { return at.label * count + at.place; }},
      {"code before", codes + 1, [](const CodeAt& at) { return at.before; }},
  };
  std::vector<std::pair<std::string, double>> all;
  for (const Kind& kind : kinds) {
    CodeCounts counts(kind.contexts, codes);
    for_each_code(train, count, codes,
                  [&](const CodeAt& at, int64_t code) { counts.add(kind.context(at), code); });
    double nats = 0;
    for_each_code(measured, count, codes, [&](const CodeAt& at, int64_t code) {
      nats += counts.nats(kind.context(at), code);
    });
    all.emplace_back(kind.name,
                     bits_per_dim(options, nats / static_cast<double>(measured.count())));
  }
  return all;
}

}  // namespace heed::tasks
