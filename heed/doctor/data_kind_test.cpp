// data_kind.h: pairs, tables and questions, sound and broken on purpose. Other texts:
// checks_test.cpp; what is no text: media_kinds_test.cpp.
#include "heed/doctor/data_kind.h"

#include <functional>

#include "heed/base/error.h"
#include "heed/doctor/telling_columns.h"
#include "heed/doctor/testing/kinds.h"

namespace heed::doctor {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(DataKinds, AreNamedAsTheTasksOfHeedTrain) {
  EXPECT_THAT(task_names(),
              ElementsAre("asr", "auto", "classify", "forecast", "graph", "image", "lm", "ner",
                          "qa", "recommend", "seq2seq", "speech", "table"));
  EXPECT_THROW(examine("other", write("a.tsv", "label\ttext\na\tb\n")), UsageError);
}

// --- pairs

std::string sound_pairs(int count, uint64_t seed) {
  const char* words[] = {"river",  "stone",  "cloud",  "garden", "window", "letter", "summer",
                         "bridge", "engine", "mirror", "forest", "candle", "market", "silver"};
  Dice dice(seed);
  std::string lines = "source\ttarget\n";
  for (int i = 0; i < count; ++i) {
    std::string source, target;
    for (int64_t k = 0, length = 5 + dice.below(4); k < length; ++k) {
      const std::string word = words[dice.below(14)];
      source += (k > 0 ? " " : "") + word;
      target += (k > 0 ? " " : "") + std::string(word.rbegin(), word.rend());
    }
    lines += source + '\t' + target + '\n';
  }
  return lines;
}

TEST_F(DataKinds, OfPairs) {
  const auto train = [&](const std::string& more) {
    return examine("auto", write("pairs.tsv", sound_pairs(60, 1) + more),
                   write("test.tsv", sound_pairs(30, 2)));
  };
  EXPECT_THAT(found(train("")), IsEmpty());
  EXPECT_THAT(train("").checked, AllOf(Contains("equal sides"), Contains("length ratio")));
  EXPECT_THAT(found(train("two birds sang all day\ttwo birds sang all day\n")),
              ElementsAre("warning equal sides"));
  const Report far = train("a long line of many words that goes on and on\tkurz\n");
  EXPECT_THAT(found(far), ElementsAre("warning length ratio"));
  EXPECT_THAT(far.findings[0].summary, HasSubstr("1 of 61 pairs"));
  EXPECT_THAT(found(train("nothing stands beside this\t\n")), Contains("warning missing values"));
  const std::string first = sound_pairs(1, 1).substr(14);
  EXPECT_THAT(found(train(first)), ElementsAre("warning duplicates"));
}

// --- tables

std::string sound_table(int count, uint64_t seed, const std::string& header = "age,town,pay,kind",
                        const std::function<std::string(int, Dice&)>& row = {}) {
  const char* towns[] = {"Rome", "Oslo", "Lima"};
  Dice dice(seed);
  std::string lines = header + "\n";
  for (int i = 0; i < count; ++i) {
    if (row) {
      lines += row(i, dice) + "\n";
      continue;
    }
    const int64_t age = 18 + dice.below(60), pay = 1000 + dice.below(4000);
    const bool old = 3 * age + dice.below(120) > 200;
    lines += std::to_string(age) + ',' + towns[dice.below(3)] + ',' + std::to_string(pay) + ',' +
             (old ? "old" : "young") + "\n";
  }
  return lines;
}

TEST_F(DataKinds, OfTables) {
  const auto examined = [&](const std::string& train, const std::string& test = sound_table(80, 2),
                            const std::string& target = "kind") {
    return examine("auto", write("train.csv", train), write("test.csv", test), target);
  };
  const Report sound = examined(sound_table(200, 1));
  EXPECT_THAT(found(sound), IsEmpty()) << sound.text();
  EXPECT_EQ(sound.numbers["samples"]["train"], 200);
  EXPECT_THAT(sound.checked, AllOf(Contains("columns that tell"), Contains("new categories"),
                                   Contains("one row under two labels")));

  const Report infinite = examined(sound_table(200, 1) + "inf,Rome,1200,old\n");
  EXPECT_THAT(found(infinite), ElementsAre("stop rows"));
  EXPECT_THAT(infinite.findings[0].examples, ElementsAre(HasSubstr("train.csv:202")));
  EXPECT_THAT(found(examined(sound_table(200, 1) + "33,Rome,,old\n")),
              ElementsAre("note missing values"));
  EXPECT_THAT(found(examined(sound_table(200, 1) + "33,Rome,1200,\n")),
              ElementsAre("stop missing values"));

  const Report unknown = examined(sound_table(200, 1), sound_table(80, 2) + "33,Bonn,1200,old\n");
  EXPECT_THAT(found(unknown), ElementsAre("warning new categories"));
  EXPECT_THAT(unknown.findings[0].summary, HasSubstr("test, \"town\": 1 of 81 rows (1.2 %)"));
  EXPECT_THAT(found(examined(sound_table(200, 1), sound_table(80, 2) + "33,Rome,1200,dead\n")),
              ElementsAre("stop labels"));
}

TEST_F(DataKinds, OfTablesWhoseRowsComeAgain) {
  const std::string train = sound_table(200, 1), header = "age,town,pay,kind\n";
  const std::string row =
      train.substr(header.size(), train.find('\n', header.size()) + 1 - header.size());
  const auto examined = [&](const std::string& more, const std::string& test) {
    return examine("table", write("train.csv", train + more), write("test.csv", test), "kind");
  };
  EXPECT_THAT(found(examined(row, sound_table(80, 2))), ElementsAre("warning duplicates"));
  EXPECT_THAT(found(examined("", sound_table(80, 2) + row)),
              ElementsAre("warning leaks between splits"));
  EXPECT_THAT(found(examined("", sound_table(10, 2) + row)), Contains("stop leaks between splits"));
  std::string other = row;
  const bool old = other.find("old") != std::string::npos;
  other.replace(other.find(old ? "old" : "young"), old ? 3 : 5, old ? "young" : "old");
  EXPECT_THAT(found(examined(other, sound_table(80, 2))),
              ElementsAre("warning duplicates", "warning one row under two labels"));
}

TEST_F(DataKinds, OfTablesWithColumnsThatTellOrDoNot) {
  const auto examined = [&](const char* header, const std::function<std::string(int, Dice&)>& row,
                            const std::string& target) {
    return examine("table", write("t.csv", sound_table(200, 3, header, row)), {}, target);
  };
  // A number whose sign is the class, and a code of it.
  const Report told = examined(
      "size,code,balance,good",
      [](int i, Dice& dice) {
        const bool good = i % 2 == 0;
        return std::to_string(dice.below(1000)) + (good ? ",A," : ",B,") +
               std::to_string((good ? 1 : -1) * (5 + dice.below(900))) + (good ? ",yes" : ",no");
      },
      "good");
  EXPECT_THAT(found(told), ElementsAre("warning columns that tell", "warning columns that tell"));
  EXPECT_THAT(told.findings[0].summary, HasSubstr("\"code\" tells \"good\" by itself (100.0 %"));
  const Report number = examined(
      "size,price,tax",
      [](int, Dice& dice) {
        const int64_t price = dice.below(100000);
        return std::to_string(dice.below(1000)) + ',' + std::to_string(price) + ',' +
               std::to_string(price * 19 / 100);
      },
      "tax");
  EXPECT_THAT(found(number), ElementsAre("warning columns that tell"));
  EXPECT_THAT(number.findings[0].summary, HasSubstr("\"price\" tells \"tax\""));
  EXPECT_THAT(found(examined(
                  "size,price,tax",
                  [](int, Dice& dice) {
                    const int64_t price = dice.below(100000);
                    return std::to_string(dice.below(1000)) + ',' + std::to_string(price) + ',' +
                           std::to_string(price * (10 + dice.below(20)) / 100);
                  },
                  "tax")),
              IsEmpty());
  const Report same = examined(
      "size,land,good",
      [](int i, Dice& dice) {
        return std::to_string(dice.below(1'000'000'000)) + ",Peru," + (i % 2 == 0 ? "yes" : "no");
      },
      "good");
  EXPECT_THAT(found(same), ElementsAre("note columns"));
  const Report rare = examined(
      "size,good",
      [](int i, Dice& dice) {
        return std::to_string(dice.below(1'000'000'000)) + (i < 3 ? ",yes" : ",no");
      },
      "good");
  EXPECT_THAT(found(rare), ElementsAre("warning class balance"));
  EXPECT_THAT(
      found(examined(
          "size,good",
          [](int, Dice& dice) { return std::to_string(dice.below(1'000'000'000)) + ",yes"; },
          "good")),
      Contains("stop class balance"));
}

TEST(TellingColumns, ToldByIsAShareOfWhatThereIsToTell) {
  data::TableColumn target{.name = "y", .is_category = true, .names = {"a", "b"}};
  data::TableColumn half{.name = "x", .is_category = true, .names = {"p", "q"}};
  // Of 8 rows q tells the four of b, p has both classes: 2 of 4 are told wrongly.
  target.categories = {0, 0, 1, 1, 1, 1, 0, 0};
  half.categories = {0, 0, 0, 0, 1, 1, 0, 0};
  EXPECT_NEAR(told_by(half, target), 1 - 2.0 / 4.0, 1e-12);
  data::TableColumn line{.name = "t"}, twice{.name = "z"};
  for (int i = 0; i < 100; ++i) {
    line.numbers.push_back(i);
    twice.numbers.push_back(2 * i);
  }
  // Neighbours on both sides tell a line exactly, but at its two ends, where they are 2 off.
  const double variance = 4 * (100.0 * 100 - 1) / 12;
  EXPECT_NEAR(told_by(line, twice), 1 - 2 * 4 / (100 * variance), 1e-12);
}

// --- questions

std::string squad_line(const std::string& context, const std::string& question,
                       const std::string& answer, size_t start) {
  return "{\"context\": \"" + context + "\", \"question\": \"" + question +
         "\", \"answers\": [{\"text\": \"" + answer +
         "\", \"answer_start\": " + std::to_string(start) + "}]}\n";
}

std::string sound_questions(int count, uint64_t seed) {
  const char* names[] = {"Ann", "Bob", "Eve", "Tim", "Mia"};
  const char* words[] = {"river",  "stone",  "cloud",  "garden", "window", "letter", "summer",
                         "bridge", "engine", "mirror", "forest", "candle", "market", "silver"};
  Dice dice(seed);
  std::string lines;
  for (int i = 0; i < count; ++i) {
    const std::string name = names[dice.below(5)];
    std::string said, asked;
    for (int k = 0; k < 6; ++k) {
      const std::string word = words[dice.below(14)];
      said += " " + word;
      if (k < 4) asked += " " + word;
    }
    lines += squad_line("To " + name + said + " belongs.", "Whose is the" + asked + "?", name, 3);
  }
  return lines;
}

TEST_F(DataKinds, OfQuestions) {
  const auto examined = [&](const std::string& more, int64_t max_length = 512) {
    DataToCheck data{.splits = {{"train", {write("q.jsonl", sound_questions(60, 1) + more)}},
                                {"test", {write("t.jsonl", sound_questions(30, 2))}}},
                     .lengths = {.max_length = max_length}};
    return examine_data(data, "auto");
  };
  const Report sound = examined("");
  EXPECT_THAT(found(sound), IsEmpty()) << sound.text();
  EXPECT_THAT(sound.checked, AllOf(Contains("answers"), Contains("empty questions"),
                                   Contains("lengths of questions")));
  EXPECT_EQ(sound.numbers["without_answer"]["train"], 0);

  const std::string text = "A tall ship left the harbour of Genoa at noon in 1492.";
  const Report elsewhere = examined(squad_line(text, "What left?", "A tall ship", 3));
  EXPECT_THAT(found(elsewhere), ElementsAre("stop answers"));
  EXPECT_THAT(elsewhere.findings[0].examples, ElementsAre(HasSubstr("q.jsonl:61")));
  EXPECT_THAT(found(examined(squad_line(text, " ? ", "A tall ship", 0))),
              ElementsAre("warning empty questions"));
  const std::string asked = squad_line(text, "What left?", "A tall ship", 0);
  EXPECT_THAT(found(examined(asked + asked)), ElementsAre("warning duplicates"));
  // Two questions about one text are no duplicates.
  EXPECT_THAT(found(examined(asked + squad_line(text, "From where?", "Genoa", 32))), IsEmpty());
  EXPECT_THAT(found(examined("", 8)),
              ElementsAre("warning lengths", "warning lengths", "warning lengths of questions",
                          "warning lengths of questions"));
  const std::string leak = sound_questions(1, 2);
  EXPECT_THAT(found(examined(leak)),
              ElementsAre("warning leaks between splits", "warning leaks between splits"));
}

TEST_F(DataKinds, OfQuestionsAreToldFromOtherJson) {
  const Report classes = examine("auto", write("c.json", R"([{"text": "rain again", "label": "a"},
                                  {"text": "the question of bread", "label": "b"}])"));
  EXPECT_THAT(classes.checked, Contains("class balance"));
  const Report squad =
      examine("auto", write("s.json", R"({"data": [{"paragraphs": [{"context": "Ann came.", "qas":
          [{"id": "1", "question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}]}]}]}]})"));
  EXPECT_THAT(squad.checked, Contains("answers"));
  EXPECT_EQ(squad.numbers["samples"]["train"], 1);
}

TEST_F(DataKinds, OfStories) {
  Dice dice(5);
  std::string lines;
  const char* names[] = {"Mary", "John", "Sandra"};
  const char* places[] = {"bathroom", "garden", "office"};
  for (int i = 0; i < 60; ++i) {
    const int64_t who = dice.below(3), where = dice.below(3);
    lines += "1 " + std::string(names[who]) + " went to the " + places[where] + " at " +
             std::to_string(i) + ".\n2 Where is " + names[who] + "?\t" + places[where] + "\t1\n";
  }
  const auto examined = [&](const std::string& all) {
    return examine("auto", write("s.txt", all));
  };
  EXPECT_THAT(found(examined(lines)), IsEmpty()) << examined(lines).text();
  const std::string again = lines.substr(0, lines.find("\n1 ") + 1);
  EXPECT_THAT(found(examined(lines + again)), ElementsAre("warning duplicates"));
  EXPECT_THAT(found(examined(lines + "1 Eve went to the moon.\n2 Where is Eve?\tmoon\t1\n")),
              ElementsAre("warning class balance"));
}

}  // namespace
}  // namespace heed::doctor
