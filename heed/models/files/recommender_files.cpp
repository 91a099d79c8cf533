#include "heed/models/files/recommender_files.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "heed/io/file.h"
#include "heed/models/files/fields_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kRecommenderType = "heed_recommender";
constexpr size_t kLongestHistory = size_t{1} << 30;  // bytes of a line

std::string items_text(const TrainedRecommender& trained) {
  std::string text;
  for (size_t i = 0; i < trained.items.size(); ++i) {
    text += text_of(trained.items[i], '\t', trained.counts[i]);
    if (!trained.names.empty() && !trained.names[i].empty()) text += '\t' + trained.names[i];
    text += '\n';
  }
  return text;
}

std::string histories_text(const TrainedRecommender& trained) {
  std::string text;
  for (size_t u = 0; u < trained.users.size(); ++u) {
    text += trained.users[u];
    char before = '\t';
    for (const int32_t item : trained.histories[u]) {
      text += before;
      text += std::to_string(item);
      before = ' ';
    }
    text += '\n';
  }
  return text;
}

// What stands before the next `separator`, which is taken off; all of it where there is none.
std::string_view cut(std::string_view& line, char separator) {
  const std::string_view part = line.substr(0, line.find(separator));
  line.remove_prefix(std::min(line.size(), part.size() + 1));
  return part;
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return {};
  return number;
}

// A pipe or a device, which reading would wait for, is none of a model's files.
void check_regular(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file) || std::filesystem::is_regular_file(file)) return;
  throw DataError(file.string(), "expected a regular file, found a pipe or a device");
}

void read_items(const std::filesystem::path& file, TrainedRecommender& trained) {
  check_regular(file);
  LineReader lines(file);
  bool named = false;
  for (std::string_view line; lines.next(line);) {
    trained.items.emplace_back(cut(line, '\t'));
    const auto count = whole_number<int64_t>(cut(line, '\t'));
    if (!count) throw DataError(lines.where(), "expected an item, a tab and a whole number");
    trained.counts.push_back(*count);
    trained.names.emplace_back(line);
    named = named || !line.empty();
  }
  if (!named) trained.names.clear();
}

void read_histories(const std::filesystem::path& file, TrainedRecommender& trained) {
  check_regular(file);
  LineReader lines(file, {.max_line_bytes = kLongestHistory});
  for (std::string_view line; lines.next(line);) {
    trained.users.emplace_back(cut(line, '\t'));
    std::vector<int32_t> history;
    while (!line.empty()) {
      const auto item = whole_number<int32_t>(cut(line, ' '));
      if (!item || *item >= std::ssize(trained.items)) {
        throw DataError(lines.where(), text_of("expected a user and numbers of items below ",
                                               trained.items.size()));
      }
      history.push_back(*item);
    }
    trained.histories.push_back(std::move(history));
  }
}

void check_against_weights(const WeightCheck& check, const RecommenderOptions& options) {
  const TransformerOptions& o = options.transformer;
  check.shape("embedding.weight", {options.num_items, o.d_model}, "num_items");
  check.positions("positions", o);
  check.stack("decoder", o);
}

}  // namespace

void save(const TrainedRecommender& trained, const std::filesystem::path& directory) {
  OrderedJson config = {{"architectures", {"Recommender"}},
                        {"model_type", kRecommenderType},
                        {"task", "recommend"},
                        {"torch_dtype", "float32"}};
  config.update(columns_json(trained.columns));
  save_model({.config = with_fields(std::move(config), trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {},
              .texts = {{.name = kItemsFile, .text = items_text(trained)},
                        {.name = kHistoriesFile, .text = histories_text(trained)}}},
             directory);
}

TrainedRecommender load_recommender(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kRecommenderType);
  const auto options = fields_from<RecommenderOptions>(files.config());
  TrainedRecommender trained;
  trained.columns = columns_from(files.config());
  const std::filesystem::path items = directory / kItemsFile;
  read_items(items, trained);
  if (std::ssize(trained.items) != options.num_items) {
    throw DataError(items.string(), text_of("expected ", options.num_items, " items, as num_items ",
                                            "of config.json says, found ", trained.items.size()));
  }
  read_histories(directory / kHistoriesFile, trained);
  trained.model = files.model<Recommender>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
