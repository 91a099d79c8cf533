// Text files of the subcommands that need no model: whole lines in, checked.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace heed::cli {

// The lines of a text file, plain or gzip; "-" is standard input. Throws as data::TextLines, and
// DataError for a line that is no UTF-8.
std::vector<std::string> lines_of(const std::string& file);

// The same of several files, one behind the other.
std::vector<std::string> lines_of(const std::vector<std::string>& files);

// The texts that somebody answered: lines, or what `heed predict` writes. Of JSON the member
// "output", "answer" or "text" of each object, "" where it is null; of a table with a column
// "output" or "answer" that column; of lines that all end in a tab and a probability what stands
// before it.
std::vector<std::string> answers_of(const std::string& file);

// Throws DataError unless both have the same number of lines.
void check_line_counts(const std::string& file, size_t lines, const std::string& other,
                       size_t other_lines);

// A measure's values: as one JSON object, or one a line with a tab behind the name.
void print_values(const nlohmann::ordered_json& values, bool json);

}  // namespace heed::cli
