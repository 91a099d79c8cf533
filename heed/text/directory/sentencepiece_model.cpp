#include "heed/text/directory/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/file.h"
#include "heed/io/utf8.h"

namespace heed::text {
namespace {

using ModelPiece = SentencePieceModel::Piece;
using PieceType = SentencePieceModel::PieceType;

constexpr uint64_t kMaxModelBytes = uint64_t{64} << 20;

// A message of protocol buffers: fields one after the other, each a number, a wire type and a
// value (https://protobuf.dev/programming-guides/encoding).
class Message {
 public:
  Message(std::string_view bytes, const std::string& where, std::string path)
      : bytes_(bytes), where_(&where), path_(std::move(path)) {}

  // Moves to the next field; false at the end.
  bool next() {
    name_ = {};
    if (bytes_.empty()) return false;
    const uint64_t tag = read_varint();
    number_ = tag >> 3;
    type_ = static_cast<int>(tag & 7);
    switch (type_) {
      case kVarint:
        value_ = read_varint();
        break;
      case kFixed64:
        take(8);
        break;
      case kBytes:
        content_ = take(read_varint());
        break;
      case kFixed32:
        content_ = take(4);
        break;
      default:
        fail("a SentencePiece model", "another kind of file");
    }
    return true;
  }

  uint64_t number() const { return number_; }

  std::string_view bytes(const char* name) {
    of_type(name, kBytes);
    return content_;
  }

  std::string text(const char* name) {
    if (!is_utf8(bytes(name))) fail("UTF-8", excerpt(content_));
    return std::string(content_);
  }

  float number32(const char* name) {
    of_type(name, kFixed32);
    uint32_t bits = 0;
    for (size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<uint8_t>(content_[i]);
    return std::bit_cast<float>(bits);
  }

  // Within [least, most]; negative numbers stand there as their two's complement.
  int64_t integer(const char* name, int64_t least, int64_t most) {
    of_type(name, kVarint);
    const auto value = static_cast<int64_t>(value_);
    if (value < least || value > most) {
      fail(text_of("a number from ", least, " to ", most), text_of(value));
    }
    return value;
  }

  bool boolean(const char* name) { return integer(name, 0, 1) == 1; }

  // `path` is the place of the message in the file.
  Message message(std::string path) { return Message(bytes(""), *where_, std::move(path)); }

  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    const std::string dot = !path_.empty() && !name_.empty() ? "." : "";
    const std::string field =
        path_.empty() && name_.empty() ? "" : text_of("field '", path_, dot, name_, "': ");
    throw DataError(*where_, text_of(field, "expected ", expected, ", found ", found));
  }

 private:
  enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  void of_type(const char* name, int type) {
    name_ = name;
    if (type_ != type) fail("a SentencePiece model", "another kind of file");
  }

  uint64_t read_varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(take(1).front());
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail("a SentencePiece model", "another kind of file");
  }

  std::string_view take(uint64_t count) {
    if (count > bytes_.size()) {
      fail(text_of(count, " bytes more"), text_of(bytes_.size(),
                                                  ": the file is cut off, or no "
                                                  "SentencePiece model"));
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  std::string_view bytes_;
  const std::string* where_;
  std::string path_;
  std::string_view name_;  // of the field, for messages
  uint64_t number_ = 0;
  int type_ = 0;
  uint64_t value_ = 0;
  std::string_view content_;
};

ModelPiece read_piece(Message message) {
  ModelPiece piece;
  while (message.next()) {
    if (message.number() == 1) piece.text = message.text("piece");
    if (message.number() == 2) piece.score = message.number32("score");
    if (message.number() == 3) piece.type = static_cast<PieceType>(message.integer("type", 1, 6));
  }
  if (piece.text.empty()) message.fail("a piece that is not empty", "none");
  if (!std::isfinite(piece.score)) message.fail("a score that is finite", text_of(piece.score));
  return piece;
}

void read_trainer(Message message, SentencePieceModel& model) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max() - 1;
  const auto id = [&](const char* name) {
    return static_cast<int32_t>(message.integer(name, -1, kMost));
  };
  while (message.next()) {
    switch (message.number()) {
      case 3: {
        const int64_t algorithm = message.integer("model_type", 1, 4);
        if (algorithm > 2) message.fail("1 (unigram) or 2 (BPE)", text_of(algorithm));
        model.algorithm = static_cast<SentencePieceModel::Algorithm>(algorithm);
        break;
      }
      case 35:
        model.byte_fallback = message.boolean("byte_fallback");
        break;
      case 40:
        model.unk_id = id("unk_id");
        break;
      case 41:
        model.bos_id = id("bos_id");
        break;
      case 42:
        model.eos_id = id("eos_id");
        break;
      case 45:
        model.unk_piece = message.text("unk_piece");
        break;
      case 46:
        model.bos_piece = message.text("bos_piece");
        break;
      case 47:
        model.eos_piece = message.text("eos_piece");
        break;
      default:
        break;
    }
  }
}

void read_normalizer(Message message, SentencePieceModel& model) {
  while (message.next()) {
    switch (message.number()) {
      case 2:
        model.charsmap = std::string(message.bytes("precompiled_charsmap"));
        break;
      case 3:
        model.add_dummy_prefix = message.boolean("add_dummy_prefix");
        break;
      case 4:
        model.remove_extra_whitespaces = message.boolean("remove_extra_whitespaces");
        break;
      case 5:
        model.escape_whitespaces = message.boolean("escape_whitespaces");
        break;
      default:
        break;
    }
  }
}

}  // namespace

SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& where) {
  SentencePieceModel model;
  Message message(bytes, where, "");
  while (message.next()) {
    if (message.number() == 1) {
      std::string path = "pieces[" + std::to_string(model.pieces.size()) + "]";
      model.pieces.push_back(read_piece(message.message(std::move(path))));
    }
    if (message.number() == 2) read_trainer(message.message("trainer_spec"), model);
    if (message.number() == 3) read_normalizer(message.message("normalizer_spec"), model);
  }
  if (model.pieces.empty())
    throw DataError(where, "expected a SentencePiece model, found no pieces");
  const auto count = static_cast<int64_t>(model.pieces.size());
  if (model.unk_id < 0 || model.unk_id >= count) {
    throw DataError(where, text_of("field 'trainer_spec.unk_id': expected one of ", count,
                                   " pieces, found ", model.unk_id));
  }
  return model;
}

SentencePieceModel read_sentencepiece(const std::filesystem::path& file) {
  return parse_sentencepiece(read_file(file, kMaxModelBytes, FileKind::kRegular), file.string());
}

}  // namespace heed::text
