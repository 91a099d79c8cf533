#include "heed/cli/writing/answer_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

namespace heed::cli {

bool AnswerForm::has_column(const std::string& name) const {
  return std::find(columns.begin(), columns.end(), name) != columns.end();
}

AnswerWriter::AnswerWriter(AnswerForm form, std::ostream& out, std::ostream& messages)
    : form_(std::move(form)),
      out_(out),
      messages_(messages),
      table_(form_.columns, form_.csv ? TableWriter::Form::kCsv : TableWriter::Form::kTsv,
             [this](const std::string& line) { out_ << line; }) {}

void AnswerWriter::add(const std::string& where, const OrderedJson& input, const Answer& answer) {
  if (!form_.is_table()) {
    // What tokens spell may end within a character.
    using Broken = OrderedJson::error_handler_t;
    out_ << (form_.json ? answer.json.dump(-1, ' ', false, Broken::replace) : answer.line) << '\n';
    return;
  }
  OrderedJson row = answer.json;
  row["where"] = where;
  for (const auto& [name, value] : input.items()) {
    if (!row.contains(name)) row[name] = value;
  }
  if (!table_.has_started()) table_.start(row);
  for (const OrderedJson& left_out : std::exchange(waiting_, {})) table_.add(left_out);
  table_.add(row);
}

void AnswerWriter::fail(const std::string& where, const OrderedJson& input,
                        const std::string& why) {
  const std::string place = where + ": ";
  const std::string reason = why.starts_with(place) ? why.substr(place.size()) : why;
  messages_ << "heed: " << place << reason << '\n';
  ++failed_;
  leave_out(where, input, reason);
}

void AnswerWriter::leave_out(const std::string& where, const OrderedJson& input,
                             const std::string& why) {
  if (form_.is_table()) {
    OrderedJson row = {{"where", where}};
    row.update(input);
    table_.has_started() ? table_.add(row) : waiting_.push_back(std::move(row));
  } else {
    if (form_.json) out_ << OrderedJson{{"where", where}, {"error", why}}.dump();
    out_ << '\n';
  }
}

void AnswerWriter::finish() {
  if (form_.columns.empty()) {
    for (const OrderedJson& left_out : std::exchange(waiting_, {})) table_.add(left_out);
  }
  for (const std::string& each : cut_.warnings()) messages_ << "heed: warning: " << each << '\n';
  for (const std::string& note : report_.notes()) messages_ << "heed: " << note << '\n';
  messages_ << report_.text();
  const int64_t left_out = failed_ + report_.fatal_count();
  if (left_out > 0) {
    throw DataError(text_of(left_out, left_out == 1 ? " input" : " inputs",
                            " could not be answered, named above; the others were"));
  }
}

}  // namespace heed::cli
