#include "heed/cli/reading/question_input.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

using Texts = std::vector<std::string>;

TEST(QuestionInput, TheLastSentenceIsTheQuestion) {
  const QuestionInput asked = question_input("Mary ran home. Tom sat. Where is Mary?");
  EXPECT_EQ(asked.story.question, "Where is Mary?");
  EXPECT_EQ(asked.story.sentences, (Texts{"Mary ran home.", "Tom sat."}));
  EXPECT_EQ(asked.context, "Mary ran home. Tom sat.");
  EXPECT_EQ(asked.text, "Mary ran home. Tom sat. Where is Mary?");
}

TEST(QuestionInput, ATabStandsBeforeTheQuestion) {
  const QuestionInput asked = question_input(" A cat.\tB dog. \t who ? ");
  EXPECT_EQ(asked.story.question, "who ?");
  EXPECT_EQ(asked.context, "A cat.\tB dog.");
}

TEST(QuestionInput, JsonHasAStoryOrAText) {
  const QuestionInput story = question_input(R"( {"story": ["A.", "B."], "question": "C?"})");
  EXPECT_EQ(story.story.sentences, (Texts{"A.", "B."}));
  EXPECT_EQ(story.context, "A. B.");
  const QuestionInput text = question_input(R"({"context": "A. B.", "question": "C?"})");
  EXPECT_EQ(text.story.sentences, (Texts{"A.", "B."}));
  EXPECT_EQ(text.story.question, "C?");
}

TEST(QuestionInput, WithoutAQuestionIsRefused) {
  for (const char* text :
       {"", "  ", "a\t ", R"({"context": "A.", "question": " "})", R"({"context": "A."})",
        R"({"question": "C?"})", "{", "{\"question\": 3}",
        R"({"context": "A.", "question": "C?", "colour": 1})"}) {
    EXPECT_THROW(question_input(text), DataError) << text;
  }
}

}  // namespace
}  // namespace heed::cli
