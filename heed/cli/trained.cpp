#include "heed/cli/trained.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/io/printable.h"
#include "heed/models/files/model_directory.h"

namespace heed::cli {
namespace {

struct Kind {
  const char* model_type;  // of config.json
  std::unique_ptr<Trained> (*load)(const std::filesystem::path& directory);
};

constexpr Kind kKinds[] = {
    {"heed_encoder_decoder", load_sequence_to_sequence},
    {"heed_language_model", load_language_modelling},
    {"heed_question_answerer", load_question_answering},
    {"heed_text_classifier", load_text_classification},
    {"heed_token_tagger", load_entity_recognition},
};

}  // namespace

std::optional<std::vector<Input>> Trained::read_inputs(data::TextLines& /*lines*/,
                                                       const ReadingOptions& /*reading*/,
                                                       data::DataReport& /*report*/) {
  return std::nullopt;
}

void Trained::read_special_tokens() {
  for (const TokenizerPlace place : tokenizers()) {
    *place =
        std::make_shared<const text::Tokenizer>((*place)->with_specials(text::Specials::kAsTokens));
  }
}

std::unique_ptr<Trained> load_trained(const std::filesystem::path& directory) {
  const std::string type = models::model_type_of(directory);
  std::string known;
  for (const Kind& kind : kKinds) {
    if (type == kind.model_type) return kind.load(directory);
    known += text_of(known.empty() ? "" : ", ", '"', kind.model_type, '"');
  }
  throw DataError((directory / "config.json").string(),
                  text_of("field 'model_type': expected one of ", known, ", found \"", type, '"'));
}

void check_options(const CLI::App& app, const std::vector<std::string>& known,
                   const Trained& trained) {
  static const std::set<std::string> kGeneral = {"threads", "json", "config",
                                                 "columns", "csv",  "max-bytes"};
  for (const std::string& name : given_options(app)) {
    const bool has_meaning =
        kGeneral.count(name) > 0 || std::find(known.begin(), known.end(), name) != known.end();
    check_usage(has_meaning, "--", name, ": has no meaning for a model of the task '",
                trained.task(), "'");
  }
}

at::Tensor stacked_layers(const std::vector<at::Tensor>& layers) {
  return at::cat(layers).to(at::kFloat);
}

std::string answer_line(const std::string& answer, double probability) {
  return printable(answer) + formatted("\t%.4f", probability);
}

std::string answer_title(const std::string& answer, double probability) {
  return answer + formatted(" (%.0f %%)", 100 * probability);
}

}  // namespace heed::cli
