// Who took what, in order: the histories of users, read from a table with a row for each time that
// a user took an item.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/data_report.h"
#include "heed/data/file_format.h"
#include "heed/data/limits.h"

namespace heed::data {

struct InteractionReadOptions {
  CharacterEncoding encoding = CharacterEncoding::kUtf8;
  char delimiter = '\0';
  // Names of the header or numbers from 1. Empty: told by the usual names (user, user_id, …; item,
  // movie_id, product, …; time, timestamp, date, …); without a header the first column holds the
  // user, the second the item and, of three, the third the time. time_column "none": rows stand in
  // order of time.
  std::string user_column = {};
  std::string item_column = {};
  std::string time_column = {};
  // Those that a model was trained with, as InteractionData has them: taken where no other is
  // chosen. One that was chosen then must be there.
  std::string known_user_column = {};
  std::string known_item_column = {};
  std::string known_time_column = {};
  // Rows that cannot be used are left out and counted, instead of being errors.
  bool skip_bad = false;
  Limits limits = {};
};

struct InteractionData {
  std::string file;
  std::vector<std::string> users;               // in the order in which they first occur
  std::vector<std::string> items;               // the same
  std::vector<std::vector<int32_t>> histories;  // of each user: numbers of items, the oldest first
  bool has_times = false;
  // Names of the header, or numbers where they were chosen by number; of the times "none" where
  // that was chosen.
  std::string user_column = {};
  std::string item_column = {};
  std::string time_column = {};
  int64_t left_out = 0;  // rows, with skip_bad

  int64_t count() const;  // of all interactions
};

// Reads a table with tabs, commas, semicolons or bars, or with blanks between its cells, plain or
// gzip. What a user took at the same time, or without a column of times, stays in the order of the
// file. An item that a user took twice stands there twice.
//
// Throws MissingInputError, IoError; DataError for damaged gzip data and what is over the limits;
// UsageError for columns that are not there or cannot be told. Rows with another number of cells,
// without a user or an item, with a control character in its name, or whose time is no number and
// no time as the first one is written, are reported (kColumnCount, kMalformedRow); so is a file
// without any row (kNoExamples).
InteractionData read_interactions(const std::filesystem::path& file,
                                  const InteractionReadOptions& options, DataReport& report);

// What items are called: a table of two columns or more, read in the same way; item_column, and the
// names in the column title, name or description, or `name_column`. The first of two rows of one
// item counts.
using ItemNames = std::map<std::string, std::string, std::less<>>;
ItemNames read_item_names(const std::filesystem::path& file, const InteractionReadOptions& options,
                          const std::string& name_column, DataReport& report);

}  // namespace heed::data
