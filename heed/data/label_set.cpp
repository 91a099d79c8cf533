#include "heed/data/label_set.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <unordered_map>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/data/file_format.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/aligned_text.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/characters/unicode_normalization.h"

namespace heed::data {
namespace {

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Zero-width spaces and joiners, soft hyphen, byte order mark.
bool is_invisible(char32_t c) {
  return c == 0xAD || (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF;
}

// Small letters, of which these or the capital ones look like those of ASCII, and signs; each
// followed by its look.
constexpr std::u32string_view kLooks =
    // Cyrillic
    U"аaвbеeѕsіiјjкkмmнhоoрpсcтtуyхxԁdԛqԝw"
    // Greek
    U"αaβbεeζzηhιiκkμmνnοoρpτtυyχx"
    // Dashes and quotes
    U"\u2010-\u2011-\u2012-\u2013-\u2014-\u2212-\u2018'\u2019'\u02BC'\u201C\"\u201D\"";

char32_t ascii_look_of(char32_t c) {
  for (size_t i = 0; i < kLooks.size(); i += 2) {
    if (kLooks[i] == c) return kLooks[i + 1];
  }
  return c;
}

// The same for labels that people take for the same: compatible forms in lower case, what looks
// like ASCII as ASCII. That of one character is itself: pictures of letters have "a" and "A".
std::string look_of(const std::string& label) {
  text::AlignedText plain(label, {0, static_cast<uint32_t>(label.size())},
                          text::AlignedText::Tracking::kOff);
  text::normalize_unicode(plain, text::Form::kNfkc);
  std::string look;
  int64_t characters = 0;
  for (size_t at = 0; at < plain.size(); ++characters) {
    append_utf8(ascii_look_of(text::lower_case(next_code_point(plain.text(), at))), look);
  }
  return characters > 1 ? look : label;
}

}  // namespace

std::string canonical_label(std::string_view label) {
  label = trimmed(label);
  const bool plain = text::is_ascii(label) && label.find_first_of("\t\n\r\v\f") == label.npos &&
                     label.find("  ") == label.npos;
  if (plain) return std::string(label);
  text::AlignedText composed(label, {0, static_cast<uint32_t>(label.size())},
                             text::AlignedText::Tracking::kOff);
  text::normalize_unicode(composed, text::Form::kNfc);
  std::string result;
  bool gap = false;
  for (size_t at = 0; at < composed.size();) {
    const char32_t c = next_code_point(composed.text(), at);
    if (is_invisible(c)) continue;
    if (text::is_white_space(c)) {
      gap = !result.empty();
      continue;
    }
    if (gap) result += ' ';
    gap = false;
    append_utf8(c, result);
  }
  return result;
}

void sort_labels(std::vector<std::string>& labels) {
  const bool numbers = std::all_of(labels.begin(), labels.end(), [](const std::string& label) {
    return whole_number(label).has_value();
  });
  std::sort(labels.begin(), labels.end(), [&](const std::string& a, const std::string& b) {
    if (!numbers || whole_number(a) == whole_number(b)) return a < b;
    return *whole_number(a) < *whole_number(b);
  });
}

std::vector<int32_t> sort_with_places(std::vector<std::string>& labels) {
  const std::vector<std::string> before = labels;
  sort_labels(labels);
  std::unordered_map<std::string_view, int32_t> numbers;
  for (const std::string& label : labels) {
    numbers.emplace(label, static_cast<int32_t>(numbers.size()));
  }
  std::vector<int32_t> places;
  for (const std::string& label : before) places.push_back(numbers.at(label));
  return places;
}

void check_class_count(const LabelSet& labels, const Limits& limits, const std::string& where) {
  if (labels.is_fixed() || labels.count() <= limits.most_classes) return;
  throw DataError(where, text_of("more than ", limits.most_classes, " classes: is it the right ",
                                 "column? If it is, give more with most_classes (--max-classes)"));
}

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kShown = 10;
  std::string list = joined(std::span(names).first(std::min(names.size(), kShown)), ", ",
                            [](const std::string& name) { return excerpt(name, 30); });
  if (names.size() > kShown) list += text_of(", ... (", names.size(), " in all)");
  return list;
}

LabelSet::LabelSet(const std::vector<std::string>& fixed) : fixed_(!fixed.empty()) {
  for (const std::string& label : fixed) {
    const auto index = static_cast<int32_t>(spellings_.size());
    check_usage(numbers_.emplace(canonical_label(label), index).second, "label ", excerpt(label),
                " stands twice in the label set");
    spellings_.push_back(label);
  }
}

std::optional<int32_t> LabelSet::index_of(std::string_view label, const Report& report) {
  label = trimmed(label);
  std::string canonical = canonical_label(label);
  if (canonical.empty()) return std::nullopt;
  const auto place = numbers_.find(canonical);
  if (place != numbers_.end()) {
    const std::string& spelled = spellings_[static_cast<size_t>(place->second)];
    if (spelled != label) {
      report(text_of(excerpt(label), " differs from ", excerpt(spelled),
                     " only in how its letters or blanks are encoded; taken for one class"));
    }
    return place->second;
  }
  if (fixed_) return std::nullopt;
  warn_of_new(canonical, report);
  const auto index = static_cast<int32_t>(spellings_.size());
  numbers_.emplace(std::move(canonical), index);
  spellings_.emplace_back(label);
  return index;
}

void LabelSet::warn_of_new(const std::string& label, const Report& report) {
  const auto [first, is_first] =
      looks_.emplace(look_of(label), static_cast<int32_t>(spellings_.size()));
  if (is_first) return;
  report(text_of(excerpt(label), " looks like ",
                 excerpt(spellings_[static_cast<size_t>(first->second)]),
                 " and differs from it in case or in its characters; taken for two classes"));
}

std::vector<std::string> LabelSet::names() const {
  if (fixed_) return spellings_;
  std::vector<std::string> names(spellings_.size());
  for (const auto& [canonical, index] : numbers_) names[static_cast<size_t>(index)] = canonical;
  return names;
}

}  // namespace heed::data
