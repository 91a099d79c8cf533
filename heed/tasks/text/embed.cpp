#include "heed/tasks/text/embed.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/models/files/published_files.h"
#include "heed/models/parts/text_batch.h"
#include "heed/tasks/common/batches.h"

namespace heed::tasks {
namespace {

constexpr int64_t kBatch = 64;

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

TextEmbedder with_tokenizer(std::shared_ptr<models::published::Embedder> model) {
  TextEmbedder embedder{.model = std::move(model)};
  const text::LoadedTokenizer read = models::tokenizer_of(*embedder.model->model());
  embedder.tokenizer = std::make_shared<const text::Tokenizer>(read.tokenizer);
  embedder.max_length = read.max_length.value();
  return embedder;
}

}  // namespace

TextEmbedder load_text_embedder(const std::filesystem::path& directory) {
  return with_tokenizer(std::make_shared<models::published::Embedder>(directory));
}

TextEmbedder open_text_embedder(const std::filesystem::path& directory,
                                const models::published::FineTuningOptions& options,
                                int64_t max_length) {
  TextEmbedder embedder =
      with_tokenizer(std::make_shared<models::published::Embedder>(directory, options));
  if (max_length == 0) return embedder;
  const int64_t longest = embedder.model->model()->transformer().max_length;
  check_usage(max_length <= longest, "max_length: expected at most ", longest, " tokens, which ",
              directory.string(), " reads, got ", max_length);
  embedder.max_length = max_length;
  embedder.tokenizer = std::make_shared<const text::Tokenizer>(
      embedder.tokenizer->with_max_length(static_cast<int32_t>(max_length)));
  return embedder;
}

std::string prompt_of(const TextEmbedder& embedder, const std::string& name) {
  const auto& modules = embedder.model->modules_of_text();
  const std::string& wanted = name.empty() ? modules.default_prompt : name;
  if (wanted.empty()) return {};
  for (const auto& [each, text] : modules.prompts) {
    if (each == wanted) return text;
  }
  const std::string known =
      joined(modules.prompts, ", ", [](const auto& prompt) { return prompt.first; });
  throw UsageError(text_of("prompt-name: expected ",
                           known.empty() ? "nothing, as this model has no prompts" : "one of ",
                           known, ", got '", wanted, "'"));
}

TextIds encoded(const TextEmbedder& embedder, const std::vector<std::string>& texts) {
  TextIds ids;
  for (const std::string& text : texts) ids.push_back(embedder.tokenizer->encode_ids(text));
  return ids;
}

at::Tensor embed(const TextEmbedder& embedder, const std::vector<std::string>& texts,
                 const Progress& progress) {
  return embed(embedder, encoded(embedder, texts), progress);
}

at::Tensor embed(const TextEmbedder& embedder, const TextIds& texts, const Progress& progress) {
  const c10::InferenceMode inference;
  std::vector<int64_t> lengths;
  for (const auto& ids : texts) lengths.push_back(std::ssize(ids));
  std::vector<at::Tensor> vectors(texts.size());
  for_each_batch(lengths, kBatch, progress, [&](const std::vector<int64_t>& numbers) {
    const at::Tensor found = embedder.model->forward(
        models::text_batch(chosen(texts, numbers), embedder.model->model()->pad_token_id()));
    for (size_t i = 0; i < numbers.size(); ++i) {
      vectors[static_cast<size_t>(numbers[i])] = found[static_cast<int64_t>(i)];
    }
  });
  return texts.empty() ? at::empty({0, 0}) : at::stack(vectors).to(at::kFloat).contiguous();
}

CutTexts cut_texts(const TextEmbedder& embedder, const std::vector<std::string>& texts) {
  const text::Tokenizer whole = embedder.tokenizer->with_max_length(std::nullopt);
  CutCount count{
      .what = "texts", .all = std::ssize(texts), .limit = text_of(embedder.max_length, " tokens")};
  for (const std::string& text : texts) {
    const bool long_enough = std::ssize(text) + 2 > embedder.max_length;
    if (long_enough && std::ssize(whole.encode_ids(text)) > embedder.max_length) ++count.cut;
  }
  return CutTexts({count});
}

MaskFiller load_mask_filler(const std::filesystem::path& directory) {
  const models::PublishedFiles files =
      models::open_published(directory, models::published::Purpose::kMaskedLm);
  if (!files.tokenizer.special.mask) {
    throw DataError(directory.string(), "expected a tokenizer with a mask token, found none");
  }
  return {.model = files.model,
          .tokenizer = std::make_shared<const text::Tokenizer>(
              files.tokenizer.tokenizer.with_max_length(std::nullopt)
                  .with_specials(text::Specials::kAsTokens)),
          .mask_id = *files.tokenizer.special.mask};
}

std::string with_own_mask(const MaskFiller& filler, const std::string& text) {
  const std::string& own = filler.tokenizer->token_of(filler.mask_id);
  std::string read = text;
  for (const std::string_view other : {"[MASK]", "<mask>"}) {
    if (other != own) replace_all(read, other, own);
  }
  return read;
}

std::vector<FilledGap> fill(const MaskFiller& filler, const std::string& text, int64_t count) {
  const c10::InferenceMode inference;
  const std::vector<int32_t> ids = filler.tokenizer->encode_ids(with_own_mask(filler, text));
  const int64_t longest = filler.model->transformer().max_length;
  if (std::ssize(ids) > longest) {
    throw DataError("the text", text_of("expected at most ", longest,
                                        " tokens, which the model reads, got ", ids.size()));
  }
  std::vector<int64_t> gaps;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == filler.mask_id) gaps.push_back(static_cast<int64_t>(i));
  }
  if (gaps.empty()) {
    throw DataError(
        "the text",
        text_of("expected a gap (", filler.tokenizer->token_of(filler.mask_id), "), found none"));
  }
  const at::Tensor logits =
      filler.model->forward(models::text_batch({&ids}, filler.model->pad_token_id()))[0];
  const auto most = std::min<int64_t>(count, filler.tokenizer->size());
  std::vector<FilledGap> filled;
  for (const int64_t gap : gaps) {
    const at::Tensor probabilities = logits[gap].to(at::kDouble).softmax(-1);
    const auto [values, best] = probabilities.narrow(0, 0, filler.tokenizer->size()).topk(most);
    FilledGap& made = filled.emplace_back();
    for (int64_t i = 0; i < most; ++i) {
      made.best.push_back(
          {static_cast<int32_t>(best[i].item<int64_t>()), values[i].item<double>()});
    }
  }
  return filled;
}

}  // namespace heed::tasks
