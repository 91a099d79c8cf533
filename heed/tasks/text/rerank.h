// Documents in the order in which they answer a query, by a model that reads both together.
//                                                                     Nogueira and Cho 2019
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/published/published.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/common/task.h"
#include "heed/text/tokenizer.h"

namespace heed::tasks {

struct Reranker {
  std::shared_ptr<models::published::Published> model;  // of one label
  std::shared_ptr<const text::Tokenizer> tokenizer;
};

// Of a model for the classification of texts with one label. Throws MissingInputError or DataError.
Reranker load_reranker(const std::filesystem::path& directory);

// The logit of each document, that of the query and the document alone.
std::vector<double> relevance(const Reranker& reranker, const std::string& query,
                              const std::vector<std::string>& documents,
                              const Progress& progress = {});

// How many of the pairs are longer than the model reads.
CutTexts cut_texts(const Reranker& reranker, const std::string& query,
                   const std::vector<std::string>& documents);

}  // namespace heed::tasks
