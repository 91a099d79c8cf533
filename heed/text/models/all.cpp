#include <array>

#include "heed/text/models/bpe.h"
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
});

}  // namespace

ModelPointer read_model(const JsonValue& json) {
  return make_registered<ModelPointer>(kModels, json);
}

}  // namespace heed::text
