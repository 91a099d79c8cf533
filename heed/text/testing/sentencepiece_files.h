// SentencePiece's files, made by hand for tests.
#pragma once

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace heed::text::testing_files {

inline void put_little_endian(uint32_t value, std::string& bytes) {
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
}

// The bytes of a Charsmap that replaces each key by its value. Every node of the trie has 256 units
// for itself, so that nothing need be packed.
inline std::string charsmap_of(const std::map<std::string, std::string>& replaced) {
  std::vector<uint32_t> units(512, 0);
  std::map<std::string, uint32_t> places = {{"", 0}};   // of the nodes
  std::map<std::string, uint32_t> bases = {{"", 256}};  // where their children begin
  const auto set_offset = [&](const std::string& node) {
    units[places[node]] |= (places[node] ^ bases[node]) << 10;
  };
  set_offset("");
  std::string texts;
  for (const auto& [key, value] : replaced) {
    for (size_t i = 0; i < key.size(); ++i) {
      const std::string node = key.substr(0, i + 1);
      if (places.contains(node)) continue;
      const auto byte = static_cast<uint8_t>(key[i]);
      places[node] = bases[key.substr(0, i)] ^ byte;
      units[places[node]] |= byte;
      bases[node] = static_cast<uint32_t>(units.size());
      units.resize(units.size() + 256, 0);
      set_offset(node);
    }
    units[places[key]] |= 1u << 8;
    units[bases[key]] = static_cast<uint32_t>(texts.size()) | 0x80000000u;
    texts += value;
    texts += '\0';
  }
  std::string bytes;
  put_little_endian(static_cast<uint32_t>(4 * units.size()), bytes);
  for (const uint32_t unit : units) put_little_endian(unit, bytes);
  return bytes + texts;
}

// Fields of a message of protocol buffers.
class ProtoWriter {
 public:
  ProtoWriter& number(uint32_t field, uint64_t value) {
    varint(uint64_t{field} << 3);
    varint(value);
    return *this;
  }
  ProtoWriter& text(uint32_t field, std::string_view value) {
    varint(uint64_t{field} << 3 | 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  ProtoWriter& real(uint32_t field, float value) {
    varint(uint64_t{field} << 3 | 5);
    put_little_endian(std::bit_cast<uint32_t>(value), bytes_);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7F) | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

struct TestPiece {
  std::string text;
  float score = 0;
  uint32_t type = 1;
};

// A whole model; `trainer` and `normalizer` are the fields of its two specs.
inline std::string sentencepiece_of(const std::vector<TestPiece>& pieces,
                                    const ProtoWriter& trainer,
                                    const ProtoWriter& normalizer = {}) {
  ProtoWriter model;
  for (const TestPiece& piece : pieces) {
    model.text(
        1, ProtoWriter().text(1, piece.text).real(2, piece.score).number(3, piece.type).bytes());
  }
  model.text(2, trainer.bytes()).text(3, normalizer.bytes());
  return model.bytes();
}

}  // namespace heed::text::testing_files
