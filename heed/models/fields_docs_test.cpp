// The tables of docs/model_directory.md say of each field what its list says.
#include <gtest/gtest.h>

#include <set>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/testing/test_files.h"
#include "heed/models/encoder_decoder.h"
#include "heed/models/files/question_answerer_files.h"
#include "heed/models/forecaster.h"
#include "heed/models/graph_classifier.h"
#include "heed/models/image_classifier.h"
#include "heed/models/image_generator.h"
#include "heed/models/language_model.h"
#include "heed/models/object_detector.h"
#include "heed/models/question_answerer.h"
#include "heed/models/recommender.h"
#include "heed/models/speech_classifier.h"
#include "heed/models/speech_recognizer.h"
#include "heed/models/table_transformer.h"
#include "heed/models/text_classifier.h"
#include "heed/models/token_tagger.h"

namespace heed::models {
namespace {

// "| `num_heads` | from 1 to 16777216 | Attention heads, a divisor of d_model |"
struct TableRows {
  void operator()(const nn::Field& field, int64_t /*value*/) const {
    add(field, range_text(field));
  }
  void operator()(const nn::Field& field, double /*value*/) const { add(field, range_text(field)); }
  void operator()(const nn::Field& field, bool /*value*/) const { add(field, "`true`, `false`"); }
  void operator()(const nn::Field& field, const std::string& /*value*/) const {
    const bool listed = field.choices != nullptr;
    add(field, listed ? text_of('`', joined(field.choices(), "`, `"), '`') : "text");
  }
  void add(const nn::Field& field, const std::string& values) const {
    const std::string name = std::string("`") + field.name + "`";
    const std::string missing = field.may_be_missing ? "; may be missing" : "";
    rows.insert(*field.help == '\0' ? name
                                    : "| " + name + " | " + values + missing + " | " +
                                          in_cell(field.help) + " |\n");
  }
  static std::string in_cell(const std::string& text) {  // where a bar would end the cell
    std::string cell;
    for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
    return cell;
  }

  std::set<std::string>& rows;
};

template <typename Options>
void expect_documented(const std::string& docs) {
  std::set<std::string> rows;
  const Options options;
  visit_fields(options, TableRows{rows});
  for (const std::string& row : rows) EXPECT_NE(docs.find(row), std::string::npos) << row;
}

TEST(FieldsOfConfigJson, AreDocumentedAsTheyAre) {
  const std::string docs = test::slurp("docs/model_directory.md");
  expect_documented<TextClassifierOptions>(docs);
  expect_documented<LanguageModelOptions>(docs);
  expect_documented<EncoderDecoderOptions>(docs);
  expect_documented<TokenTaggerOptions>(docs);
  expect_documented<QuestionAnswererOptions>(docs);
  expect_documented<ForecasterOptions>(docs);
  expect_documented<GraphClassifierOptions>(docs);
  expect_documented<RecommenderOptions>(docs);
  expect_documented<TableTransformerOptions>(docs);
  expect_documented<ImageClassifierOptions>(docs);
  expect_documented<ObjectDetectorOptions>(docs);
  expect_documented<ImageGeneratorOptions>(docs);
  expect_documented<SpanReading>(docs);
  expect_documented<SpeechClassifierOptions>(docs);
  expect_documented<SpeechRecognizerOptions>(docs);
}

}  // namespace
}  // namespace heed::models
