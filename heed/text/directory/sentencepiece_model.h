// SentencePiece's model files (spiece.model, tokenizer.model, source.spm): the pieces, and how
// texts are normalised. They are protocol buffers of the message ModelProto
// (https://github.com/google/sentencepiece, src/sentencepiece_model.proto); of it, this reads what
// encoding a text needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace heed::text {

struct SentencePieceModel {
  enum class PieceType : uint8_t {
    kNormal = 1,
    kUnknown = 2,
    kControl = 3,      // "<s>", "</s>": no text spells them
    kUserDefined = 4,  // wherever a text has it
    kUnused = 5,
    kByte = 6,  // "<0x41>"
  };
  struct Piece {
    std::string text;
    float score = 0;  // log-probability (unigram), or minus the rank (BPE)
    PieceType type = PieceType::kNormal;
  };
  enum class Algorithm : uint8_t { kUnigram = 1, kBpe = 2 };

  std::vector<Piece> pieces;  // by id
  Algorithm algorithm = Algorithm::kUnigram;
  bool byte_fallback = false;
  int32_t unk_id = 0;  // negative: there is none
  int32_t bos_id = 1;
  int32_t eos_id = 2;
  std::string unk_piece = "<unk>";
  std::string bos_piece = "<s>";
  std::string eos_piece = "</s>";
  std::string charsmap;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

// DataError: not such a file, or one that contradicts itself; `where` is its name in the message,
// which names the field. Words and characters as algorithm are refused.
SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& where);

// The same of a file. Throws as read_file too.
SentencePieceModel read_sentencepiece(const std::filesystem::path& file);

}  // namespace heed::text
