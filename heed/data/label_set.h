// The labels of classes while files are read: each with a number, spelled in one way.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/limits.h"

namespace heed::data {

// A label as classes are compared: composed letters (NFC), every kind of blank as one space, none
// at its ends, no invisible characters. Labels that look alike are the same class.
std::string canonical_label(std::string_view label);

// Sorted, as numbers if all of them are whole numbers.
void sort_labels(std::vector<std::string>& labels);

// The same; where each of them stands now. Their names differ.
std::vector<int32_t> sort_with_places(std::vector<std::string>& labels);

// "\"a\", \"b\", ... (12 in all)": the first of them, for messages.
std::string listed(const std::vector<std::string>& names);

class LabelSet {
 public:
  // `fixed`: the classes, if they are known; not empty, no other gets a number. UsageError where
  // two of them are the same.
  explicit LabelSet(const std::vector<std::string>& fixed);

  struct Found {
    int32_t index = 0;
    // Another spelling of the label that came first, where it looks alike and is not the same.
    std::optional<std::string> look_alike = {};
  };
  // None for an empty label, and for one that is not among the fixed ones.
  std::optional<Found> index_of(std::string_view label);

  bool is_fixed() const { return fixed_; }
  int64_t count() const { return static_cast<int64_t>(spellings_.size()); }

  // As it was first spelled, or, where it is not fixed, as it is compared.
  std::vector<std::string> names() const;

  const std::vector<std::string>& spellings() const { return spellings_; }

 private:
  bool fixed_;
  std::map<std::string, int32_t, std::less<>> numbers_;  // by canonical labels
  std::vector<std::string> spellings_;                   // of the numbers
};

// Throws DataError where there are more than the limits allow and they are not fixed. `where`: the
// file.
void check_class_count(const LabelSet& labels, const Limits& limits, const std::string& where);

}  // namespace heed::data
