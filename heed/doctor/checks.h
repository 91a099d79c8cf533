// The checks of data, each adding what it finds to a report.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "heed/doctor/finding.h"
#include "heed/doctor/samples.h"

namespace heed::text {
class Tokenizer;
}

namespace heed::doctor {

// What the readers found: encoding, malformed rows, missing values, tags out of place.
void check_reading(const Data& data, Report& report);

// Columns of tables that are constant or partly empty, whether training uses them or not.
void check_columns(const std::vector<SplitFiles>& splits, const data::ReadOptions& options,
                   Report& report);

// How samples are compared, and what they are called.
struct Comparison {
  const char* one = "text";
  const char* many = "texts";
  bool words = true;  // false: byte by byte, and not nearly; the samples' texts are not for people
};

// Samples that are the same, or nearly, within a split; the same one under two labels; and those of
// one split that stand in another. Near duplicates are found by MinHash (Broder 1997) over runs of
// five characters, those with at least 80 % of their runs in common.
void check_duplicates(const Data& data, Report& report, const Comparison& comparison = {});

// Classes that are rare, missing in a split or of another share there.
void check_balance(const Data& data, Report& report);

struct LengthOptions {
  const text::Tokenizer* tokenizer = nullptr;  // null: words, as splitting at punctuation gives
  int64_t max_length = 512;                    // tokens that the model will read
  std::string name = "lengths";                // of the check, and of the numbers
  const char* what = "texts";
  const char* advice = "what stands behind is cut; give a larger --max-length, or split them";
  bool unknown = true;  // look for unknown tokens, too
};

// How long texts are and how many will be cut; the share of tokens that are unknown: to the
// tokenizer, or words of other splits that the first does not have.
void check_lengths(const Data& data, const LengthOptions& options, Report& report);

// Control and invisible characters, words of mixed alphabets, text that was decoded wrongly,
// markup.
void check_characters(const Data& data, Report& report);

// Pairs whose sides are the same, or of which one is far longer beside the other than of most.
void check_pairs(const Data& data, Report& report);

struct SuspectLabel {
  size_t sample = 0;  // of the first split
  int32_t likelier = 0;
  double given_probability = 0;
  double likelier_probability = 0;
};

// The samples of the first split whose label a linear model of words, pairs and pieces of them
// finds less likely than another, the surest first. Each is judged by models that did not see it
// (ten-fold cross-validation). Empty for fewer than 50 samples, for several labels a text, and for
// more than 100 classes.
std::vector<SuspectLabel> suspect_labels(const Data& data);
void check_labels(const Data& data, Report& report);

}  // namespace heed::doctor
