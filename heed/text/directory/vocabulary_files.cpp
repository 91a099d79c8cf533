#include "heed/text/directory/vocabulary_files.h"

#include <string>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/file.h"
#include "heed/io/utf8.h"

namespace heed::text {
namespace {

constexpr uint64_t kMaxVocabularyBytes = uint64_t{64} << 20;

}  // namespace

Vocabulary read_vocabulary_lines(const std::filesystem::path& file) {
  std::vector<std::string> tokens;
  LineReader lines(file);
  for (std::string_view line; lines.next(line);) {
    if (!is_utf8(line)) throw DataError(lines.where(), "expected UTF-8, found " + excerpt(line));
    tokens.emplace_back(line.substr(0, line.find_last_not_of(" \t") + 1));
  }
  try {
    return Vocabulary(std::move(tokens));
  } catch (const UsageError& error) {
    throw DataError(file.string(), error.what());
  }
}

Vocabulary read_vocabulary_json(const std::filesystem::path& file) {
  return Vocabulary::read(read_json(file, {.max_bytes = kMaxVocabularyBytes}));
}

std::vector<Merge> read_merges(const std::filesystem::path& file) {
  std::vector<Merge> merges;
  LineReader lines(file);
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with("#version") || line.empty()) continue;
    const size_t blank = line.find(' ');
    if (!is_utf8(line) || blank == 0 || blank + 1 >= line.size() ||
        line.find(' ', blank + 1) != std::string_view::npos) {
      throw DataError(lines.where(),
                      "expected two tokens with a blank between them, found " + excerpt(line));
    }
    merges.push_back({std::string(line.substr(0, blank)), std::string(line.substr(blank + 1))});
  }
  return merges;
}

ModelPointer read_bpe(const std::filesystem::path& vocabulary,
                      const std::filesystem::path& merges) {
  Vocabulary tokens = read_vocabulary_json(vocabulary);
  try {
    return std::make_shared<Bpe>(std::move(tokens), read_merges(merges));
  } catch (const UsageError& error) {
    throw DataError(merges.string(), error.what());
  }
}

}  // namespace heed::text
