#include <array>
#include <nlohmann/json.hpp>

#include "heed/text/models/bpe.h"
#include "heed/text/models/sentence_piece.h"
#include "heed/text/models/unigram.h"
#include "heed/text/models/word_level.h"
#include "heed/text/models/word_piece.h"
#include "heed/text/registry.h"

namespace heed::text {
namespace {

// A new model is a file beside this one and a line here.
constexpr std::array kModels = std::to_array<Registered<ModelPointer>>({
    {"WordLevel", WordLevel::read},
    {"BPE", Bpe::read},
    {"WordPiece", WordPiece::read},
    {"Unigram", Unigram::read},
    {"SentencePiece", SentencePiece::read},
});

// Old files do not name the type. As the package: the first of BPE, WordPiece, WordLevel and
// Unigram whose fields are there.
std::string_view inferred_type(const JsonValue& json) {
  if (json.has("vocab") && json.at("vocab").json().is_array()) return "Unigram";
  if (json.has("merges")) return "BPE";
  if (json.has("max_input_chars_per_word") && json.has("continuing_subword_prefix")) {
    return "WordPiece";
  }
  return "WordLevel";
}

}  // namespace

ModelPointer read_model(const JsonValue& json) {
  return make_registered<ModelPointer>(kModels, json, inferred_type(json));
}

}  // namespace heed::text
