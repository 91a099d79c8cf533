// A question and what it is about, as `heed predict` and `heed attend` are given them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "heed/io/json.h"
#include "heed/tasks/text/story_questions.h"

namespace heed::cli {

// Of story and context one is given, and the other is made of it.
struct QuestionInput {
  tasks::Story story = {};   // and the question
  std::string context = {};  // the sentences of the story with blanks between them
  std::string text = {};     // what was asked about, as it was given
  std::string where = {};

  OrderedJson columns() const { return {{"text", text}}; }
};

// JSON {"story": ["…", "…"], "question": "…"} or {"context": "…", "question": "…"}; a text, a tab
// and the question; or a text whose last sentence is the question. Throws DataError.
QuestionInput question_input(std::string_view input);

}  // namespace heed::cli
