// A question and what it is about, as `heed predict` and `heed attend` are given them.
#pragma once

#include <string>
#include <string_view>

#include "heed/io/json.h"
#include "heed/tasks/story_questions.h"

namespace heed::cli {

// One of the two is given, the other is made of it.
struct QuestionInput {
  tasks::Story story;   // and the question
  std::string context;  // the sentences of the story with blanks between them
};

// JSON {"story": ["…", "…"], "question": "…"} or {"context": "…", "question": "…"}; a text, a tab
// and the question; or a text whose last sentence is the question. Throws DataError, whose message
// begins with `where`.
QuestionInput question_input(std::string_view input, const std::string& where);

// The first form.
std::string story_json(const std::vector<std::string>& story, const std::string& question);
std::string context_json(const std::string& context, const std::string& question);

}  // namespace heed::cli
