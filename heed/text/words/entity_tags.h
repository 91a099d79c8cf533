// Tags of named entities, one a word: checked, converted between schemes, and read as spans.
//
//   word      IOB1    BIO     BIOES       A tag is "O", or one of the letters of the scheme, a
//   Tim       I-PER   B-PER   B-PER       hyphen, and the type of the entity, which may itself
//   Cook      I-PER   I-PER   E-PER       hold hyphens.
//   visits    O       O       O
//   Paris     I-LOC   B-LOC   S-LOC       IOB1 (Ramshaw and Marcus 1995), BIO, also called IOB2
//   Texas     B-LOC   B-LOC   S-LOC       (Tjong Kim Sang 2002), BIOES (Ratinov and Roth 2009).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed::text {

enum class TagScheme : uint8_t { kIob1, kBio, kBioes };

// "iob1", "bio", "bioes". Throws UsageError for another name.
TagScheme tag_scheme_named(std::string_view name);
std::vector<std::string> tag_scheme_names();
std::string_view name_of(TagScheme scheme);

struct Entity {
  std::string type;
  int64_t begin = 0;  // its words are [begin, end)
  int64_t end = 0;

  friend bool operator==(const Entity&, const Entity&) = default;
  friend auto operator<=>(const Entity&, const Entity&) = default;
};

// Whether the scheme has this tag at all, and what its tags look like: "O, B-TYPE or I-TYPE".
bool is_tag(std::string_view tag, TagScheme scheme);
std::string_view tag_forms(TagScheme scheme);

// What is wrong with a sentence of tags.
struct TagFault {
  size_t position;     // of the tag
  std::string reason;  // what was expected and what came
};

// The first tag that the scheme does not allow where it stands; none if all are allowed.
std::optional<TagFault> first_tag_fault(std::span<const std::string> tags, TagScheme scheme);

// Whether the scheme allows `tag` right behind `before`; "O" stands before the first tag of a
// sentence and behind its last. Both are tags of the scheme.
bool may_follow(std::string_view before, std::string_view tag, TagScheme scheme);

// The entities of any tags, faulty or not, as conlleval and seqeval's default mode read them: a
// change of type or a tag that cannot continue what came before begins a new one. In order.
std::vector<Entity> entities_of(std::span<const std::string> tags);

// The same as seqeval's strict mode has it: only what is tagged wholly as the scheme wants it.
// DataError: a tag whose letter the scheme does not have.
std::vector<Entity> strict_entities_of(std::span<const std::string> tags, TagScheme scheme);

// The tags of a sentence of `words` words. UsageError: entities that overlap, are empty, out of
// order or outside the sentence.
std::vector<std::string> tags_of(std::span<const Entity> entities, int64_t words, TagScheme scheme);

// The same entities in another scheme. DataError: tags that `from` does not allow.
std::vector<std::string> convert_tags(std::span<const std::string> tags, TagScheme from,
                                      TagScheme to);

// Every tag that the scheme has for these types, "O" first: what a tagger chooses from.
std::vector<std::string> all_tags(std::span<const std::string> types, TagScheme scheme);

}  // namespace heed::text
