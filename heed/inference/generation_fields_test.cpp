#include "heed/inference/generation_fields.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/inference/beam_search.h"
#include "heed/inference/generate.h"

namespace heed::inference {
namespace {

template <typename Options>
std::vector<std::string> field_names(const Options& options) {
  std::vector<std::string> names;
  visit_generation_fields(
      options, [&](const nn::Field& field, const auto&) { names.emplace_back(field.name); });
  return names;
}

TEST(GenerationFields, AreThoseThatTheOptionsHave) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(field_names(SamplingOptions()),
            (Names{"temperature", "top_k", "top_p", "min_p", "repetition_penalty", "seed"}));
  EXPECT_EQ(field_names(GenerateOptions()),
            (Names{"max_new_tokens", "min_new_tokens", "temperature", "top_k", "top_p", "min_p",
                   "repetition_penalty", "seed", "no_repeat_ngram_size", "num_return_sequences"}));
  EXPECT_EQ(field_names(BeamSearchOptions()),
            (Names{"max_new_tokens", "min_new_tokens", "repetition_penalty", "no_repeat_ngram_size",
                   "num_return_sequences", "num_beams", "length_penalty"}));
}

TEST(GenerationFields, TakeDefaultsThatTheyMayHave) {
  const GenerateOptions generate = {};
  const BeamSearchOptions beams = {};
  const BeamSearchOptions none = {.num_beams = 0};
  EXPECT_NO_THROW(visit_generation_fields(generate, nn::FieldCheck()));
  EXPECT_NO_THROW(visit_generation_fields(beams, nn::FieldCheck()));
  EXPECT_THROW(visit_generation_fields(none, nn::FieldCheck()), UsageError);
}

TEST(GenerationFields, AreTakenFromOthersByName) {
  struct Usual {
    int64_t num_beams = 7;
    double top_p = 0.5;
    std::optional<int64_t> max_new_tokens = 3;  // of another type: left
  };
  struct Chosen {
    SamplingOptions sampling = {};
    int64_t num_beams = 1;
    int64_t max_new_tokens = 9;
  };
  Chosen chosen;
  take_generation_fields(chosen, Usual(), [](const nn::Field& field) {
    return std::string(field.name) != "num_beams";
  });
  EXPECT_EQ(chosen.num_beams, 1);
  EXPECT_EQ(chosen.sampling.top_p, 0.5);
  EXPECT_EQ(chosen.max_new_tokens, 9);
  take_generation_fields(chosen, Usual(), [](const nn::Field&) { return true; });
  EXPECT_EQ(chosen.num_beams, 7);
}

}  // namespace
}  // namespace heed::inference
