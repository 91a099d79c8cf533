// Answers as a table: a row each, columns by the members of their JSON.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "heed/io/json.h"

namespace heed::cli {

// Writes TSV, where line breaks and tabs of cells are escaped, or CSV (RFC 4180). A member that is
// an object becomes a column for each of its members ("probabilities.good"), and the array `top`,
// which is as long in all rows, one for each of theirs ("top.1.answer"). Another array of objects
// (the entities of a text) stands in one cell as JSON, other arrays with blanks between. The first
// row says which columns there are; a name for each stands above.
class TableWriter {
 public:
  enum class Form : uint8_t { kTsv, kCsv };

  // `columns`: names of members; empty: all of them.
  TableWriter(std::vector<std::string> columns, Form form,
              std::function<void(const std::string&)> write);

  // The heading, of a row that has all there is. Throws UsageError for a column that it lacks.
  void start(const OrderedJson& row);
  bool has_started() const { return !paths_.empty(); }

  // The first row starts the table where start() did not.
  void add(const OrderedJson& row);

 private:
  void write_line(const std::vector<std::string>& cells);

  std::vector<std::string> columns_;
  Form form_;
  std::function<void(const std::string&)> write_;
  std::vector<std::vector<std::string>> paths_;  // of each column; empty before the first row
};

}  // namespace heed::cli
