// Where a task puts its answers: printed in the order in which they come, as lines, JSON or a
// table.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/cli/writing/table_writer.h"
#include "heed/data/data_report.h"
#include "heed/io/json.h"
#include "heed/tasks/common/cut_texts.h"

namespace heed::cli {

// The answer to one input. Which of the two is printed, AnswerForm says; the other may be empty.
struct Answer {
  std::string line;
  OrderedJson json;
};

struct AnswerForm {
  bool json = false;                      // an object for each input
  bool csv = false;                       // a table
  std::vector<std::string> columns = {};  // of a table, members of the JSON; empty: all of them
  bool color = false;                     // lines are for a terminal with colours

  bool is_table() const { return csv || !columns.empty(); }
  bool wants_json() const { return json || is_table(); }
  bool has_column(const std::string& name) const;
};

// An input that cannot be answered leaves an empty line, or an object that says why.
class AnswerWriter {
 public:
  AnswerWriter(AnswerForm form, std::ostream& out, std::ostream& messages);

  const AnswerForm& form() const { return form_; }

  // `where` the input stands ("reviews.tsv:12"); `input`: what a table shows of it beside the
  // answer, members of an object such as {"text": …}.
  void add(const std::string& where, const OrderedJson& input, const Answer& answer);

  // An input that cannot be answered: says why on the messages.
  void fail(const std::string& where, const OrderedJson& input, const std::string& why);

  // The same of one that `report` names already.
  void leave_out(const std::string& where, const OrderedJson& input, const std::string& why);

  // What reading the inputs found.
  data::DataReport& report() { return report_; }

  // Adds to the texts that the model reads in part only.
  void count_cut(const tasks::CutTexts& cut) { cut_ += cut; }

  // Says all that is to be said of the inputs so far. Throws DataError where one was left out.
  void finish();

 private:
  AnswerForm form_;
  std::ostream& out_;
  std::ostream& messages_;
  TableWriter table_;
  data::DataReport report_;
  tasks::CutTexts cut_;
  std::vector<OrderedJson> waiting_;  // rows left out before an answer said what columns there are
  int64_t failed_ = 0;
};

// Gives `answers` what `answer` finds for these inputs, all at once. Where that throws DataError,
// halves them until what cannot be answered is alone, which fails. An input has a member `where`,
// and columns(): what a table shows of it.
template <typename Input, typename Answering>
void answer_all(std::span<const Input> inputs, const Answering& answer, AnswerWriter& answers) {
  if (inputs.empty()) return;
  const auto columns = [&](const Input& input) {
    return answers.form().is_table() ? input.columns() : OrderedJson::object();
  };
  std::vector<Answer> found;
  try {
    found = answer(inputs);
  } catch (const DataError& error) {
    if (inputs.size() == 1) {
      return answers.fail(inputs[0].where, columns(inputs[0]), error.what());
    }
    const size_t half = inputs.size() / 2;
    answer_all<Input>(inputs.first(half), answer, answers);
    return answer_all<Input>(inputs.subspan(half), answer, answers);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    answers.add(inputs[i].where, columns(inputs[i]), found[i]);
  }
}

}  // namespace heed::cli
