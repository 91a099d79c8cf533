// A published model with its tokenizer, for the loaders of trained models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/published/fine_tuning.h"
#include "heed/text/tokenizer_directory.h"

namespace heed::models {

// Whether the config.json of a directory is one that `transformers` wrote, and not Heed. Throws
// MissingInputError or DataError.
bool is_published(const std::filesystem::path& directory);

struct PublishedFiles {
  std::shared_ptr<published::Published> model;
  text::LoadedTokenizer tokenizer;  // cut to what the model reads
};

// The tokenizer of its directory, cut to what the model reads.
text::LoadedTokenizer tokenizer_of(const published::Published& model);

// An adapter is merged. Throws DataError where it is not for this purpose, and as its constructor
// does.
PublishedFiles open_published(const std::filesystem::path& directory, published::Purpose purpose);
// Of a model that reads no texts.
std::shared_ptr<published::Published> open_model(const std::filesystem::path& directory,
                                                 published::Purpose purpose);

// The model of a directory, whatever it was published for, for this purpose: with a new head where
// it has none of it, and with a new output layer where its labels are not these (none: as it has
// them). `max_length`: tokens of a text, at most; 0: as many as it reads.
struct HeadRequest {
  published::Purpose purpose = published::Purpose::kSequenceClassification;
  std::vector<std::string> labels = {};
  int64_t max_length = 0;
  published::FineTuningOptions tuning = {};
};
PublishedFiles with_head(const std::filesystem::path& directory, const HeadRequest& request);
// Of a model that reads no texts: `max_length` has no meaning.
std::shared_ptr<published::Published> model_with_head(const std::filesystem::path& directory,
                                                      const HeadRequest& request);

// "bert of DIR; new: classifier.weight, classifier.bias; left out: cls.predictions.bias; 1538 of
// 7890 parameters learn", for people who begin with it.
std::string line_of(const published::Published& model);

}  // namespace heed::models
