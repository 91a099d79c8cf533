#include "heed/tasks/text/tagged_parts.h"

#include <algorithm>
#include <map>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

// Rows of the model's tags for the words of a part. An entity that goes on beyond it ends with it.
class Targets {
 public:
  explicit Targets(const models::TokenTagger& model)
      : scheme_(text::tag_scheme_named(model.options().tag_scheme)) {
    for (const std::string& tag : model.tags())
      rows_.emplace(tag, static_cast<int32_t>(rows_.size()));
  }

  std::vector<int32_t> of(const TaggedParts::Part& part,
                          const std::vector<std::string>& sentence_tags,
                          const std::string& file) const {
    const auto first = static_cast<int64_t>(part.begin);
    const auto count = std::ssize(part.words);
    std::vector<text::Entity> inside;
    for (const text::Entity& entity : text::entities_of(sentence_tags)) {
      const int64_t begin = std::max<int64_t>(entity.begin - first, 0);
      const int64_t end = std::min(entity.end - first, count);
      if (begin < end) inside.push_back({.type = entity.type, .begin = begin, .end = end});
    }
    std::vector<int32_t> rows;
    for (const std::string& tag : text::tags_of(inside, count, scheme_)) {
      const auto row = rows_.find(tag);
      if (row == rows_.end()) {
        throw DataError(
            file, text_of("expected entities of the types that were trained, found '", tag, "'"));
      }
      rows.push_back(row->second);
    }
    return rows;
  }

 private:
  text::TagScheme scheme_;
  std::map<std::string, int32_t> rows_;
};

}  // namespace

void add_parts(const std::vector<std::string>& words, size_t sentence, int64_t longest,
               std::vector<TaggedParts::Part>& parts) {
  const auto most = static_cast<size_t>(longest);
  const size_t count = (words.size() + most - 1) / most;
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = i * words.size() / count;
    const size_t end = (i + 1) * words.size() / count;
    parts.push_back({.sentence = sentence,
                     .begin = begin,
                     .words = {words.begin() + static_cast<std::ptrdiff_t>(begin),
                               words.begin() + static_cast<std::ptrdiff_t>(end)}});
  }
}

TaggedParts tagged_parts(const models::TokenTagger& model, const data::NerData& data) {
  const Targets targets(model);
  TaggedParts made;
  for (size_t i = 0; i < data.sentences.size(); ++i) {
    add_parts(data.sentences[i].words, i, model.options().transformer.max_length, made.parts);
  }
  for (const TaggedParts::Part& part : made.parts) {
    made.tags.push_back(targets.of(part, data.sentences[part.sentence].tags, data.file));
  }
  return made;
}

}  // namespace heed::tasks
