// Text files of the subcommands that need no model: whole lines in, checked.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/rows.h"

namespace heed::cli {

// The lines of a text file, plain or gzip; "-" is standard input. Throws as data::TextLines, and
// DataError for a line that is no UTF-8.
std::vector<std::string> lines_of(const std::string& file);

// A line that asks for an answer; without a text where it holds none, which was reported.
struct AskedLine {
  std::optional<std::string> text;
  std::string where;  // "reviews.txt:12"
};

// The lines of several files, one behind the other.
std::vector<AskedLine> asked_lines(const std::vector<std::string>& files, data::DataReport& report);

// The cells of these columns, in this order, of a table whose header has them all, as `heed
// predict` writes one with --columns or --csv; none of any other file.
std::optional<std::vector<data::Row>> columns_of(const std::string& file,
                                                 const std::vector<std::string>& names);

// What may stand before an answer, with a tab between: of a sound its file.
enum class Before : uint8_t { kNothing, kFile };

// The texts that somebody answered: lines, or what `heed predict` writes. Of JSON the member
// "output", "answer" or "text" of each object, "" where it is null; of a table the column of that
// name. Of lines that all end in a tab and a probability, or that all begin with a file and a tab,
// the rest, which is said; a line of an input without an answer is empty.
std::vector<std::string> answers_of(const std::string& file, Before before = Before::kNothing);

// Throws DataError unless both have the same number of lines.
void check_line_counts(const std::string& file, size_t lines, const std::string& other,
                       size_t other_lines);

// A measure's values: as one JSON object, or one a line with a tab behind the name.
void print_values(const nlohmann::ordered_json& values, bool json);

}  // namespace heed::cli
