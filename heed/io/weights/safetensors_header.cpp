#include "heed/io/weights/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/json_syntax.h"
#include "heed/io/utf8.h"

namespace heed {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";

struct DtypeRow {
  std::string_view name;
  size_t bytes;
};
// Indexed by SafetensorsDtype.
constexpr std::array<DtypeRow, 15> kDtypes = {{{"BOOL", 1},
                                               {"U8", 1},
                                               {"I8", 1},
                                               {"F8_E5M2", 1},
                                               {"F8_E4M3", 1},
                                               {"I16", 2},
                                               {"U16", 2},
                                               {"F16", 2},
                                               {"BF16", 2},
                                               {"I32", 4},
                                               {"U32", 4},
                                               {"F32", 4},
                                               {"F64", 8},
                                               {"I64", 8},
                                               {"U64", 8}}};

// The header as nlohmann's parser meets it: {"__metadata__": {text: text}, name: {"dtype": text,
// "shape": [count...], "data_offsets": [begin, end]}}. Anything else ends the reading at once, so
// nothing deep or large is ever built.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& file) : file_(file) {}

  SafetensorsHeader header;

  bool null() override { refuse("null"); }
  bool boolean(bool value) override { refuse(value ? "true" : "false"); }
  bool number_integer(int64_t value) override { refuse(std::to_string(value)); }
  bool number_float(double, const std::string& text) override { refuse(excerpt(text)); }
  bool binary(binary_t&) override { refuse("bytes"); }  // never in JSON text

  bool number_unsigned(uint64_t value) override {
    if (place_ != Place::kArray || value > kMaxInteger) refuse(std::to_string(value));
    const size_t most = field_ == Field::kShape ? kMaxRank : 2;
    if (numbers_.size() == most) refuse(text_of("more than ", most));
    numbers_.push_back(value);
    return true;
  }

  bool string(std::string& value) override {
    if (place_ == Place::kMetadata) {
      header.metadata[key_] = std::move(value);
      return true;
    }
    if (place_ != Place::kEntry || field_ != Field::kDtype) refuse(excerpt(value));
    SafetensorsDtype dtype;
    if (!find_dtype(value, dtype)) refuse(excerpt(value));
    dtype_ = dtype;
    return true;
  }

  bool start_object(size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kRoot;
    } else if (place_ == Place::kRoot) {
      place_ = name_ == kMetadataKey ? Place::kMetadata : Place::kEntry;
      key_.clear();
      field_ = Field::kNone;
      dtype_.reset();
      shape_.reset();
      offsets_.reset();
    } else {
      refuse("an object");
    }
    return true;
  }

  bool key(std::string& key) override {
    if (place_ == Place::kRoot) {
      if (key == kMetadataKey && std::exchange(has_metadata_, true)) refuse_repeated(key);
      if (key.empty()) throw DataError(file_, "header: a tensor has an empty name");
      name_ = std::move(key);
    } else if (place_ == Place::kMetadata) {
      if (!header.metadata.emplace(key, "").second) refuse_repeated(key);
      key_ = std::move(key);
    } else {
      start_field(key);
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kEntry) finish_entry();
    place_ = place_ == Place::kRoot ? Place::kEnd : Place::kRoot;
    return true;
  }

  bool start_array(size_t) override {
    if (place_ != Place::kEntry || field_ == Field::kNone || field_ == Field::kDtype) {
      refuse("an array");
    }
    place_ = Place::kArray;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    if (field_ == Field::kShape) {
      shape_.emplace(numbers_.begin(), numbers_.end());
    } else {
      if (numbers_.size() != 2) refuse(text_of(numbers_.size()));
      offsets_ = {numbers_[0], numbers_[1]};
    }
    place_ = Place::kEntry;
    return true;
  }

  bool parse_error(size_t byte, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    throw_json_syntax_error(file_ + ": header", byte, token, error.what());
  }

 private:
  enum class Place { kStart, kRoot, kMetadata, kEntry, kArray, kEnd };
  enum class Field { kNone, kDtype, kShape, kOffsets };
  static constexpr uint64_t kMaxInteger = std::numeric_limits<int64_t>::max();

  std::string entry_place() const { return file_ + ": tensor " + excerpt(name_); }

  [[noreturn]] void refuse_repeated(const std::string& key) const {
    const std::string where = place_ == Place::kEntry      ? entry_place()
                              : place_ == Place::kMetadata ? file_ + ": field '__metadata__'"
                                                           : file_ + ": header";
    throw DataError(where, "key " + excerpt(key) + " appears twice");
  }

  // Says what was expected where `found` stands.
  [[noreturn]] void refuse(const std::string& found) const {
    if (place_ == Place::kStart)
      throw DataError(file_, "header: expected an object, found " + found);
    if (place_ == Place::kRoot) {
      const std::string where =
          name_ == kMetadataKey ? file_ + ": field '__metadata__'" : entry_place();
      throw DataError(where, "expected an object, found " + found);
    }
    if (place_ == Place::kMetadata) {
      throw DataError(file_ + ": field '__metadata__'",
                      "key " + excerpt(key_) + ": expected a string, found " + found);
    }
    switch (field_) {
      case Field::kDtype:
        throw DataError(entry_place(),
                        "field 'dtype': expected one of " + dtype_names() + ", found " + found);
      case Field::kShape:
        throw DataError(entry_place(), text_of("field 'shape': expected at most ", kMaxRank,
                                               " integers from 0 to 2^63 - 1, found ", found));
      default:
        throw DataError(entry_place(),
                        "field 'data_offsets': expected two integers, found " + found);
    }
  }

  static std::string dtype_names() { return joined(kDtypes, " ", &DtypeRow::name); }

  void start_field(const std::string& key) {
    field_ = key == "dtype"          ? Field::kDtype
             : key == "shape"        ? Field::kShape
             : key == "data_offsets" ? Field::kOffsets
                                     : Field::kNone;
    if (field_ == Field::kNone) {
      throw DataError(entry_place(), "unknown field " + excerpt(key) +
                                         "; known are dtype, shape and data_offsets");
    }
    const bool repeated = (field_ == Field::kDtype && dtype_) ||
                          (field_ == Field::kShape && shape_) ||
                          (field_ == Field::kOffsets && offsets_);
    if (repeated) refuse_repeated(key);
  }

  void finish_entry() {
    const char* missing = !dtype_     ? "dtype"
                          : !shape_   ? "shape"
                          : !offsets_ ? "data_offsets"
                                      : nullptr;
    if (missing != nullptr)
      throw DataError(entry_place(), text_of("field '", missing, "' is missing"));
    header.entries.push_back(
        {std::move(name_), *dtype_, std::move(*shape_), (*offsets_)[0], (*offsets_)[1]});
  }

  const std::string& file_;
  Place place_ = Place::kStart;
  Field field_ = Field::kNone;
  bool has_metadata_ = false;
  std::string name_;               // of the entry
  std::string key_;                // in the metadata
  std::vector<uint64_t> numbers_;  // of the array
  std::optional<SafetensorsDtype> dtype_;
  std::optional<std::vector<int64_t>> shape_;
  std::optional<std::array<uint64_t, 2>> offsets_;
};

std::string shape_text(const std::vector<int64_t>& shape) {
  return "[" + joined(shape, ", ", [](int64_t size) { return std::to_string(size); }) + "]";
}

void check_entry(const HeaderEntry& entry, const std::string& file, uint64_t data_offset,
                 uint64_t data_bytes) {
  const std::string where = file + ": tensor " + excerpt(entry.name);
  if (entry.begin > entry.end) {
    throw DataError(where, text_of("field 'data_offsets': begins at ", entry.begin,
                                   ", after its end ", entry.end));
  }
  if (entry.end > data_bytes) {
    throw DataError(where, text_of("field 'data_offsets': ends at ", entry.end,
                                   ", but the file has ", data_bytes, " bytes of data"));
  }
  uint64_t bytes;
  if (!tensor_bytes(entry.shape, entry.dtype, bytes)) {
    throw DataError(where,
                    "field 'shape': " + shape_text(entry.shape) + " is more than 2^63 bytes");
  }
  if (bytes != entry.end - entry.begin) {
    throw DataError(
        where, text_of("field 'data_offsets': ", entry.end - entry.begin, " bytes, but ",
                       dtype_name(entry.dtype), " ", shape_text(entry.shape), " takes ", bytes));
  }
  if ((data_offset + entry.begin) % dtype_bytes(entry.dtype) != 0) {
    throw DataError(where,
                    text_of("field 'data_offsets': misaligned: ", dtype_name(entry.dtype),
                            " data at byte ", data_offset + entry.begin,
                            " of the file; write the file again with a current safetensors"));
  }
}

// The entries in the order of their bytes must follow each other without a gap.
void check_layout(const std::vector<HeaderEntry>& entries, const std::string& file,
                  uint64_t data_bytes) {
  uint64_t end = 0;
  const HeaderEntry* before = nullptr;
  for (const HeaderEntry& entry : entries) {
    const std::string where = file + ": tensor " + excerpt(entry.name) + ": field 'data_offsets'";
    if (entry.begin < end) throw DataError(where, "overlaps tensor " + excerpt(before->name));
    if (entry.begin > end) {
      throw DataError(where, text_of(entry.begin - end, " bytes before it belong to no tensor"));
    }
    end = entry.end;
    before = &entry;
  }
  if (end != data_bytes) {
    throw DataError(file, text_of("the last ", data_bytes - end, " bytes belong to no tensor"));
  }
}

void check_names(const std::vector<HeaderEntry>& entries, const std::string& file) {
  std::vector<const std::string*> names;
  for (const HeaderEntry& entry : entries) names.push_back(&entry.name);
  std::sort(names.begin(), names.end(), [](auto* a, auto* b) { return *a < *b; });
  const auto twice =
      std::adjacent_find(names.begin(), names.end(), [](auto* a, auto* b) { return *a == *b; });
  if (twice != names.end()) {
    throw DataError(file, "header: key " + excerpt(**twice) + " appears twice");
  }
}

}  // namespace

std::string_view dtype_name(SafetensorsDtype dtype) {
  return kDtypes[static_cast<size_t>(dtype)].name;
}

size_t dtype_bytes(SafetensorsDtype dtype) { return kDtypes[static_cast<size_t>(dtype)].bytes; }

bool find_dtype(std::string_view name, SafetensorsDtype& dtype) {
  for (size_t i = 0; i < kDtypes.size(); ++i) {
    if (kDtypes[i].name != name) continue;
    dtype = static_cast<SafetensorsDtype>(i);
    return true;
  }
  return false;
}

bool tensor_bytes(const std::vector<int64_t>& shape, SafetensorsDtype dtype, uint64_t& bytes) {
  // As wide as a size can be in memory; a zero anywhere makes the product 0, but the others must
  // still be sane, so overflow is judged without it.
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  uint64_t product = dtype_bytes(dtype);
  bool empty = false;
  for (const int64_t dimension : shape) {
    if (dimension < 0) return false;
    if (dimension == 0) {
      empty = true;
    } else if (product > kMost / static_cast<uint64_t>(dimension)) {
      return false;
    } else {
      product *= static_cast<uint64_t>(dimension);
    }
  }
  bytes = empty ? 0 : product;
  return true;
}

SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file,
                                           uint64_t data_offset, uint64_t data_bytes) {
  if (!text.starts_with('{')) {
    throw DataError(file, "header: expected { at its start; is this a safetensors file?");
  }
  check_json_text(text, file + ": header");
  HeaderReader reader(file);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  SafetensorsHeader header = std::move(reader.header);
  check_names(header.entries, file);
  for (const HeaderEntry& entry : header.entries) check_entry(entry, file, data_offset, data_bytes);
  std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_layout(header.entries, file, data_bytes);
  return header;
}

}  // namespace heed
