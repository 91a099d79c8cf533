#include "heed/models/files/published_files.h"

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/models/files/model_directory.h"

namespace heed::models {
namespace {

PublishedFiles open(const std::filesystem::path& directory, const published::LoadOptions& options) {
  std::shared_ptr<published::Published> model = heed::load(directory, options);
  return {.model = model, .tokenizer = tokenizer_of(*model, directory)};
}

}  // namespace

text::LoadedTokenizer tokenizer_of(const published::Published& model,
                                   const std::filesystem::path& directory) {
  text::LoadedTokenizer read = text::load_tokenizer(directory);
  if (read.tokenizer.size() > model.vocab_size()) {
    throw DataError(directory.string(),
                    text_of("expected a tokenizer of at most ", model.vocab_size(),
                            " tokens, as config.json says, found one of ", read.tokenizer.size()));
  }
  constexpr int64_t kMost = 1 << 30;
  const auto longest = static_cast<int32_t>(std::min(kMost, model.transformer().max_length));
  read.max_length = std::min(longest, read.max_length.value_or(longest));
  read.tokenizer = read.tokenizer.with_max_length(read.max_length);
  return read;
}

bool is_published(const std::filesystem::path& directory) {
  return !model_type_of(directory).starts_with("heed_");
}

PublishedFiles open_published(const std::filesystem::path& directory, published::Purpose purpose) {
  const published::Purpose found = published::purpose_in(directory);
  if (found != purpose) {
    throw DataError(
        (directory / "config.json").string(),
        text_of("field 'architectures': expected a model for ", published::name_of(purpose),
                ", found one for ", published::name_of(found)));
  }
  return open(directory, {});
}

PublishedFiles with_head(const std::filesystem::path& directory, const HeadRequest& request) {
  PublishedFiles opened = open(directory, {.purpose = request.purpose, .labels = request.labels});
  if (request.max_length > 0) {
    const auto asked = static_cast<int32_t>(std::min<int64_t>(request.max_length, 1 << 30));
    auto& longest = opened.tokenizer.max_length;
    check_usage(asked <= *longest, "max_length: expected at most ", *longest, " tokens, which ",
                directory.string(), " reads, got ", request.max_length);
    longest = asked;
    opened.tokenizer.tokenizer = opened.tokenizer.tokenizer.with_max_length(longest);
  }
  return opened;
}

std::string line_of(const published::Published& model) {
  std::string line = text_of(model.architecture().model_type, " of ", model.directory().string());
  for (size_t i = 0; i < model.fresh().size(); ++i) {
    line += (i == 0 ? "; new: " : ", ") + model.fresh()[i];
  }
  return line;
}

}  // namespace heed::models
