#include "heed/tasks/text/rerank.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "heed/base/error.h"
#include "heed/models/files/published_files.h"
#include "heed/models/parts/text_batch.h"
#include "heed/tasks/common/batches.h"

namespace heed::tasks {
namespace {

constexpr int64_t kPairsAtOnce = 32;

}  // namespace

Reranker load_reranker(const std::filesystem::path& directory) {
  const models::PublishedFiles files =
      models::open_published(directory, models::published::Purpose::kSequenceClassification);
  if (files.model->labels().size() != 1) {
    throw DataError((directory / "config.json").string(),
                    text_of("expected a model with one label, which says how well a document "
                            "answers a query, found ",
                            files.model->labels().size(), " labels"));
  }
  return {.model = files.model,
          .tokenizer = std::make_shared<const text::Tokenizer>(files.tokenizer.tokenizer)};
}

std::vector<double> relevance(const Reranker& reranker, const std::string& query,
                              const std::vector<std::string>& documents, const Progress& progress) {
  const c10::InferenceMode inference;
  const bool typed = reranker.model->transformer().input.token_types > 1;
  std::vector<std::vector<int32_t>> ids, types;
  std::vector<int64_t> lengths;
  for (const std::string& document : documents) {
    text::EncodedIds pair = reranker.tokenizer->encode_pair_ids(query, document);
    lengths.push_back(std::ssize(pair.ids));
    ids.push_back(std::move(pair.ids));
    types.push_back(std::move(pair.type_ids));
  }
  std::vector<double> logits(documents.size());
  for_each_batch(lengths, kPairsAtOnce, progress, [&](const std::vector<int64_t>& numbers) {
    models::TextBatch batch =
        models::text_batch(chosen(ids, numbers), reranker.model->pad_token_id());
    if (typed) batch.types = models::padded_ids(chosen(types, numbers), 0);
    const at::Tensor found = reranker.model->forward(batch).to(at::kDouble).contiguous();
    for (size_t i = 0; i < numbers.size(); ++i) {
      logits[static_cast<size_t>(numbers[i])] = found.const_data_ptr<double>()[i];
    }
  });
  return logits;
}

CutTexts cut_texts(const Reranker& reranker, const std::string& query,
                   const std::vector<std::string>& documents) {
  const auto longest = reranker.tokenizer->max_length();
  CutCount count{.what = "pairs of query and document", .all = std::ssize(documents)};
  if (!longest) return CutTexts({count});
  count.limit = text_of(*longest, " tokens");
  const text::Tokenizer whole = reranker.tokenizer->with_max_length(std::nullopt);
  for (const std::string& document : documents) {
    if (std::ssize(whole.encode_pair_ids(query, document).ids) > *longest) ++count.cut;
  }
  return CutTexts({count});
}

}  // namespace heed::tasks
