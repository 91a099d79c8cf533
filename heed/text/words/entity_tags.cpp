#include "heed/text/words/entity_tags.h"

#include <array>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/named.h"
#include "heed/io/utf8.h"

namespace heed::text {
namespace {

constexpr NameTable<TagScheme, 3> kSchemes = {{
    {"iob1", TagScheme::kIob1},
    {"bio", TagScheme::kBio},
    {"bioes", TagScheme::kBioes},
}};

std::string_view letters_of(TagScheme scheme) {
  return scheme == TagScheme::kBioes ? "BIOES" : "BIO";
}

// A tag as the default mode of seqeval takes it apart.
struct LooseTag {
  char letter = 'O';
  std::string_view type = "_";
};

LooseTag loose(std::string_view tag) {
  if (tag.empty()) return {};
  const std::string_view rest = tag.substr(1);
  const size_t hyphen = rest.find('-');
  const std::string_view type = hyphen == std::string_view::npos ? rest : rest.substr(hyphen + 1);
  return {tag[0], type.empty() ? std::string_view("_") : type};
}

bool ends_between(const LooseTag& last, const LooseTag& next) {
  if (last.letter == 'E' || last.letter == 'S') return true;
  const bool open = last.letter == 'B' || last.letter == 'I';
  if (open && (next.letter == 'B' || next.letter == 'S' || next.letter == 'O')) return true;
  return last.letter != 'O' && last.letter != '.' && last.type != next.type;
}

bool starts_between(const LooseTag& last, const LooseTag& next) {
  if (next.letter == 'B' || next.letter == 'S') return true;
  const bool closed = last.letter == 'E' || last.letter == 'S' || last.letter == 'O';
  if (closed && (next.letter == 'E' || next.letter == 'I')) return true;
  return next.letter != 'O' && next.letter != '.' && last.type != next.type;
}

// A tag as the strict mode takes it apart.
struct StrictTag {
  char letter = 'O';
  std::string_view type = "_";
};

StrictTag strict(std::string_view tag, TagScheme scheme) {
  if (tag.empty() || letters_of(scheme).find(tag[0]) == std::string_view::npos) {
    throw DataError(text_of("tag ", excerpt(tag), ": expected one that begins with a letter of ",
                            letters_of(scheme), " (scheme ", name_of(scheme), ")"));
  }
  std::string_view type = tag.substr(1);
  while (type.starts_with('-')) type.remove_prefix(1);
  while (type.ends_with('-')) type.remove_suffix(1);
  return {tag[0], type.empty() ? std::string_view("_") : type};
}

// The strict rules: letter before, letter now, and whether the types must be the same (=), must
// differ (!), or may be anything (*). '*' as a letter is any.
using Rules = std::span<const std::string_view>;
struct StrictRules {
  Rules start;
  Rules inside;
  Rules end;
};

constexpr std::array<std::string_view, 5> kIob1Start = {"OI*", "II!", "BI*", "IB=", "BB="};
constexpr std::array<std::string_view, 6> kIob1End = {"II!", "IO*", "IB*", "BO*", "BI!", "BB="};
constexpr std::array<std::string_view, 1> kBioStart = {"*B*"};
constexpr std::array<std::string_view, 6> kBioEnd = {"IO*", "II!", "IB*", "BO*", "BI!", "BB*"};
constexpr std::array<std::string_view, 2> kBioInside = {"BI=", "II="};
constexpr std::array<std::string_view, 2> kBioesStart = {"*B*", "*S*"};
constexpr std::array<std::string_view, 4> kBioesInside = {"BI=", "BE=", "II=", "IE="};
constexpr std::array<std::string_view, 2> kBioesEnd = {"S**", "E**"};

StrictRules rules_of(TagScheme scheme) {
  if (scheme == TagScheme::kIob1) return {kIob1Start, kBioInside, kIob1End};
  if (scheme == TagScheme::kBio) return {kBioStart, kBioInside, kBioEnd};
  return {kBioesStart, kBioesInside, kBioesEnd};
}

bool match(Rules rules, const StrictTag& last, const StrictTag& next) {
  for (const std::string_view rule : rules) {
    const bool letters =
        (rule[0] == '*' || rule[0] == last.letter) && (rule[1] == '*' || rule[1] == next.letter);
    const bool same = last.type == next.type;
    if (letters && (rule[2] == '*' || (rule[2] == '=') == same)) return true;
  }
  return false;
}

// What is wrong with a tag behind another ("O" before the first and behind the last), or nothing.
std::string fault_of(const LooseTag& last, const LooseTag& next, TagScheme scheme) {
  const bool same = last.letter != 'O' && last.type == next.type;
  const bool open = last.letter == 'B' || last.letter == 'I';
  const std::string type(next.type);
  if (scheme == TagScheme::kIob1) {
    if (next.letter == 'B' && !same) {
      return "expected I-" + type + ": B- is only for an entity right behind one of its type";
    }
    return "";
  }
  if (scheme == TagScheme::kBio) {
    if (next.letter == 'I' && !same) return "expected B-" + type + " or I-" + type + " before it";
    return "";
  }
  const bool continues = next.letter == 'I' || next.letter == 'E';
  if (open && !(continues && same)) {
    const std::string before(last.type);
    return "expected I-" + before + " or E-" + before + " behind " + last.letter + "-" + before;
  }
  if (continues && !(open && same)) return "expected B-" + type + " or I-" + type + " before it";
  return "";
}

char letter_at(const Entity& entity, int64_t place, bool touches, TagScheme scheme) {
  const bool first = place == entity.begin;
  const bool last = place + 1 == entity.end;
  switch (scheme) {
    case TagScheme::kIob1:
      return first && touches ? 'B' : 'I';
    case TagScheme::kBio:
      return first ? 'B' : 'I';
    case TagScheme::kBioes:
      if (first && last) return 'S';
      return first ? 'B' : last ? 'E' : 'I';
  }
  return 'O';
}

}  // namespace

TagScheme tag_scheme_named(std::string_view name) {
  return value_named(kSchemes, name, "tag scheme");
}

std::vector<std::string> tag_scheme_names() { return names_in(kSchemes); }

std::string_view name_of(TagScheme scheme) { return name_in(kSchemes, scheme); }

bool is_tag(std::string_view tag, TagScheme scheme) {
  return tag == "O" || (tag.size() > 2 && tag[1] == '-' && tag[0] != 'O' &&
                        letters_of(scheme).find(tag[0]) != std::string_view::npos);
}

std::string_view tag_forms(TagScheme scheme) {
  return scheme == TagScheme::kBioes ? "O, B-TYPE, I-TYPE, E-TYPE or S-TYPE"
                                     : "O, B-TYPE or I-TYPE";
}

std::optional<TagFault> first_tag_fault(std::span<const std::string> tags, TagScheme scheme) {
  LooseTag last;
  for (size_t i = 0; i < tags.size(); ++i) {
    const std::string& tag = tags[i];
    if (!is_tag(tag, scheme)) {
      return TagFault{i, text_of("expected ", tag_forms(scheme), ", found ", excerpt(tag, 30))};
    }
    const LooseTag next =
        tag == "O" ? LooseTag{} : LooseTag{tag[0], std::string_view(tag).substr(2)};
    const std::string fault = fault_of(last, next, scheme);
    if (!fault.empty()) return TagFault{i, fault + ", found " + excerpt(tag, 30)};
    last = next;
  }
  const std::string fault = fault_of(last, {}, scheme);
  if (!fault.empty()) return TagFault{tags.size() - 1, fault + ", found the end of the sentence"};
  return std::nullopt;
}

bool may_follow(std::string_view before, std::string_view tag, TagScheme scheme) {
  return fault_of(loose(before), loose(tag), scheme).empty();
}

std::vector<Entity> entities_of(std::span<const std::string> tags) {
  std::vector<Entity> entities;
  LooseTag last = {'O', ""};
  int64_t begin = 0;
  for (size_t i = 0; i <= tags.size(); ++i) {
    const LooseTag next = i < tags.size() ? loose(tags[i]) : LooseTag{};
    const auto place = static_cast<int64_t>(i);
    if (ends_between(last, next)) entities.push_back({std::string(last.type), begin, place});
    if (starts_between(last, next)) begin = place;
    last = next;
  }
  return entities;
}

std::vector<Entity> strict_entities_of(std::span<const std::string> tags, TagScheme scheme) {
  const StrictRules rules = rules_of(scheme);
  std::vector<StrictTag> parts;
  for (const std::string& tag : tags) parts.push_back(strict(tag, scheme));
  parts.push_back({});
  std::vector<Entity> entities;
  StrictTag last;
  for (size_t i = 0; i < parts.size();) {
    if (!match(rules.start, last, parts[i])) {
      last = parts[i++];
      continue;
    }
    const size_t begin = i++;
    while (i < parts.size() && match(rules.inside, parts[i - 1], parts[i])) ++i;
    if (i < parts.size() && match(rules.end, parts[i - 1], parts[i])) {
      entities.push_back(
          {std::string(parts[begin].type), static_cast<int64_t>(begin), static_cast<int64_t>(i)});
    }
    last = parts[i - 1];
  }
  return entities;
}

std::vector<std::string> tags_of(std::span<const Entity> entities, int64_t words,
                                 TagScheme scheme) {
  std::vector<std::string> tags(static_cast<size_t>(words), "O");
  int64_t done = 0;
  const Entity* before = nullptr;
  for (const Entity& entity : entities) {
    check_usage(entity.begin >= done && entity.end > entity.begin && entity.end <= words, "entity ",
                excerpt(entity.type), " of words ", entity.begin, " to ", entity.end,
                ": expected a range behind the one before it, in a sentence of ", words, " words");
    const bool touches =
        before != nullptr && before->end == entity.begin && before->type == entity.type;
    for (int64_t i = entity.begin; i < entity.end; ++i) {
      tags[static_cast<size_t>(i)] = letter_at(entity, i, touches, scheme) + ("-" + entity.type);
    }
    done = entity.end;
    before = &entity;
  }
  return tags;
}

std::vector<std::string> convert_tags(std::span<const std::string> tags, TagScheme from,
                                      TagScheme to) {
  if (const auto fault = first_tag_fault(tags, from)) {
    throw DataError(text_of("tag ", fault->position + 1, ": ", fault->reason));
  }
  return tags_of(entities_of(tags), static_cast<int64_t>(tags.size()), to);
}

std::vector<std::string> all_tags(std::span<const std::string> types, TagScheme scheme) {
  std::vector<std::string> tags = {"O"};
  for (const std::string& type : types) {
    for (const char letter : scheme == TagScheme::kBioes ? std::string_view("BIES") : "BI") {
      tags.push_back(letter + ("-" + type));
    }
  }
  return tags;
}

}  // namespace heed::text
