// Tasks whose inputs are texts: a line of a file or a pipe, or the rows of a file that has another
// form.
#pragma once

#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/cli/common.h"
#include "heed/cli/reading/line_queue.h"
#include "heed/cli/task_adapter.h"
#include "heed/data/rows.h"
#include "heed/io/utf8.h"

namespace heed::cli {

struct TextInput {
  std::string text;
  std::string where = {};

  OrderedJson columns() const { return {{"text", text}}; }
};

// `Input`: what the task makes of a text, with the members that answer_all() needs.
template <typename Input>
class TextTask : public TaskAdapter {
 public:
  void predict(const std::string& file, AnswerWriter& answers) const final {
    data::TextLines lines(file, {.encoding = encoding()}, answers.report());
    if (const auto inputs = read(lines, answers.report())) {
      return answer_inputs(*inputs, answers);
    }
    answer_lines(lines, answers);
  }

  AttentionView attend(const std::string& argument, const AttentionRequest& request) const final {
    if (!is_utf8(argument)) {
      throw DataError("the text", "expected UTF-8, found " + excerpt(argument));
    }
    return attention_of(input_of(argument), request);
  }

 protected:
  // Of the files that are asked about.
  virtual data::CharacterEncoding encoding() const = 0;

  // The inputs of a file that is not simply an input a line; none: it is that. Reports what it
  // leaves out.
  virtual std::optional<std::vector<Input>> read(data::TextLines& /*lines*/,
                                                 data::DataReport& /*report*/) const {
    return std::nullopt;
  }

  // What a line asks. Throws DataError.
  virtual Input input_of(std::string line) const = 0;

  // One answer an input, in order; of one alone, the same as among others. Throws DataError for an
  // input that cannot be answered.
  virtual std::vector<Answer> answer(std::span<const Input> inputs,
                                     AnswerWriter& answers) const = 0;

  virtual AttentionView attention_of(const Input& input, const AttentionRequest& request) const = 0;

 private:
  void answer_inputs(std::span<const Input> inputs, AnswerWriter& answers) const {
    answer_all<Input>(
        inputs, [&](std::span<const Input> some) { return answer(some, answers); }, answers);
  }

  // Each line is answered as soon as it is there.
  void answer_lines(data::TextLines& lines, AnswerWriter& answers) const {
    LineQueue queue(lines);
    for (auto taken = queue.take(); !taken.empty(); taken = queue.take()) {
      std::vector<Input> inputs;
      for (LineQueue::Line& line : taken) {
        const std::string where = text_of(lines.file(), ":", line.number);
        const OrderedJson columns = {{"text", line.text.value_or("")}};
        if (!line.text) {
          answer_inputs(std::exchange(inputs, {}), answers);
          answers.leave_out(where, columns, "not text");
          continue;
        }
        try {
          Input input = input_of(std::move(*line.text));
          input.where = where;
          inputs.push_back(std::move(input));
        } catch (const DataError& error) {
          answer_inputs(std::exchange(inputs, {}), answers);
          answers.fail(where, columns, error.what());
        }
      }
      answer_inputs(inputs, answers);
      flush_output();
    }
  }
};

}  // namespace heed::cli
