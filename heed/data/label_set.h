// The labels of classes while files are read: each with a number, spelled in one way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/limits.h"

namespace heed::data {

// A label as classes are compared: composed letters (NFC), every kind of blank as one space, none
// at its ends, no invisible characters. Labels that differ only in these are the same class.
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

  // Gets what is to be reported of a label that looks like another (kLookAlike): one that is the
  // same class, or a new one that differs only in case, in letters of another alphabet, in dashes
  // or in quotes, which remains a class of its own.
  using Report = std::function<void(const std::string& detail)>;

  // None for an empty label, and for one that is not among the fixed ones.
  std::optional<int32_t> index_of(std::string_view label, const Report& report);

  bool is_fixed() const { return fixed_; }
  int64_t count() const { return static_cast<int64_t>(spellings_.size()); }

  // As it was first spelled, or, where it is not fixed, as it is compared.
  std::vector<std::string> names() const;

  const std::vector<std::string>& spellings() const { return spellings_; }

 private:
  void warn_of_new(const std::string& label, const Report& report);

  bool fixed_;
  std::map<std::string, int32_t, std::less<>> numbers_;  // by canonical labels
  std::vector<std::string> spellings_;                   // of the numbers
  std::map<std::string, int32_t, std::less<>> looks_;    // the first of those that look the same
};

// Throws DataError where there are more than the limits allow and they are not fixed. `where`: the
// file.
void check_class_count(const LabelSet& labels, const Limits& limits, const std::string& where);

}  // namespace heed::data
