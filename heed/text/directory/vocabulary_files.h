// The plain text files of vocabularies.
#pragma once

#include <filesystem>
#include <vector>

#include "heed/text/models/bpe.h"
#include "heed/text/vocabulary.h"

namespace heed::text {

// vocab.txt: a token on each line, its id is the number of the line. DataError names the file.
Vocabulary read_vocabulary_lines(const std::filesystem::path& file);

// vocab.json: {"token": id, ...}.
Vocabulary read_vocabulary_json(const std::filesystem::path& file);

// merges.txt: two tokens with a blank between them on each line after "#version".
std::vector<Merge> read_merges(const std::filesystem::path& file);

// A BPE model of the two. DataError names the file of the merges where they contradict the
// vocabulary.
ModelPointer read_bpe(const std::filesystem::path& vocabulary, const std::filesystem::path& merges);

}  // namespace heed::text
