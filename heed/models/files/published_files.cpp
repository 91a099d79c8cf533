#include "heed/models/files/published_files.h"

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/published/folders.h"

namespace heed::models {
namespace {

// An adapter may have a tokenizer of its own.
std::filesystem::path directory_of_tokenizer(const published::Folders& folders) {
  for (const char* name : {"tokenizer.json", "tokenizer.model", "spiece.model",
                           "sentencepiece.bpe.model", "vocab.json", "vocab.txt", "source.spm"}) {
    if (folders.is_adapter() && folders.that_has(name) == folders.directory()) {
      return folders.directory();
    }
  }
  return folders.base();
}

// The first three, and how many more there are.
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + std::min(kShown, names.size()));
  return joined(first) +
         (names.size() > kShown ? text_of(" and ", names.size() - kShown, " more") : std::string());
}

}  // namespace

text::LoadedTokenizer tokenizer_of(const published::Published& model) {
  const std::filesystem::path directory = directory_of_tokenizer(model.folders());
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

std::shared_ptr<published::Published> open_model(const std::filesystem::path& directory,
                                                 published::Purpose purpose) {
  const published::Purpose found = published::purpose_in(directory);
  if (found != purpose) {
    throw DataError(
        (directory / "config.json").string(),
        text_of("field 'architectures': expected a model for ", published::name_of(purpose),
                ", found one for ", published::name_of(found)));
  }
  std::shared_ptr<published::Published> model = heed::load(directory);
  model->merge_adapter();
  return model;
}

PublishedFiles open_published(const std::filesystem::path& directory, published::Purpose purpose) {
  std::shared_ptr<published::Published> model = open_model(directory, purpose);
  return {.model = model, .tokenizer = tokenizer_of(*model)};
}

std::shared_ptr<published::Published> model_with_head(const std::filesystem::path& directory,
                                                      const HeadRequest& request) {
  auto model = heed::load(directory, {.purpose = request.purpose, .labels = request.labels});
  prepare(*model, request.tuning);
  return model;
}

PublishedFiles with_head(const std::filesystem::path& directory, const HeadRequest& request) {
  std::shared_ptr<published::Published> model = model_with_head(directory, request);
  PublishedFiles opened{.model = model, .tokenizer = tokenizer_of(*model)};
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
  std::string line = text_of(model.model_type(), " of ", model.directory().string());
  if (!model.fresh().empty()) line += "; new: " + joined(model.fresh());
  if (!model.left_out().empty()) line += "; left out: " + some_of(model.left_out());
  int64_t all = 0;
  int64_t learning = 0;
  for (const at::Tensor& parameter : model.parameters()) {
    all += parameter.numel();
    if (parameter.requires_grad()) learning += parameter.numel();
  }
  if (learning < all) line += text_of("; ", learning, " of ", all, " parameters learn");
  return line;
}

}  // namespace heed::models
