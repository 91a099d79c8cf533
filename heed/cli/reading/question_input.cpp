#include "heed/cli/reading/question_input.h"

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/data/file_format.h"
#include "heed/io/utf8.h"
#include "heed/text/words/sentences.h"

namespace heed::cli {
namespace {

constexpr const char* kWhere = "the question";
constexpr uint64_t kMaxBytes = uint64_t{16} << 20;

std::vector<std::string> sentences(std::string_view text) {
  std::vector<std::string> all;
  for (const text::Span& span : text::sentences_of(text)) {
    all.emplace_back(text.substr(span.begin, span.size()));
  }
  return all;
}

QuestionInput from_json(std::string_view input) {
  const JsonValue object = parse_json(input, kWhere, {.max_bytes = kMaxBytes});
  object.check_keys({"id", "title", "story", "context", "question", "answers", "answer"});
  QuestionInput result;
  result.story.question = object.at("question").string();
  if (object.has("story")) {
    result.story.sentences = object.at("story").strings();
    result.context = joined(result.story.sentences, " ");
  } else {
    result.context = object.at("context").string();
    result.story.sentences = sentences(result.context);
  }
  return result;
}

}  // namespace

QuestionInput question_input(std::string_view input) {
  QuestionInput result;
  if (trimmed(input).starts_with('{')) {
    result = from_json(input);
  } else if (const size_t tab = input.rfind('\t'); tab != std::string_view::npos) {
    result.context = trimmed(input.substr(0, tab));
    result.story = {sentences(result.context), std::string(trimmed(input.substr(tab + 1)))};
  } else if (const auto spans = text::sentences_of(input); !spans.empty()) {
    const text::Span& last = spans.back();
    result.context = trimmed(input.substr(0, last.begin));
    result.story = {sentences(result.context), std::string(input.substr(last.begin, last.size()))};
  }
  if (trimmed(result.story.question).empty()) {
    throw DataError(kWhere,
                    "expected a text and a question behind a tab, or as its last sentence, or "
                    "{\"context\": …, \"question\": …}, found no question");
  }
  result.text = input;
  return result;
}

}  // namespace heed::cli
