#include "heed/io/weights/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/input.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"
#include "heed/io/weights/mapped_file.h"
#include "heed/io/weights/safetensors_header.h"
#include "heed/io/weights/weight_map.h"

namespace heed {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "safetensors files are little endian");

namespace {

constexpr size_t kLengthBytes = 8;
constexpr const char* kFileName = "model.safetensors";
constexpr const char* kIndexName = "model.safetensors.index.json";
constexpr uint64_t kMaxIndexBytes = uint64_t{64} << 20;

using Storage = std::shared_ptr<const std::byte>;

struct Content {
  std::vector<StoredTensor> tensors;  // ordered by name
  SafetensorsMetadata metadata;
};

void check_length(uint64_t size, const std::string& file) {
  if (size > kLengthBytes) return;
  throw DataError(file, text_of("holds ", size, " bytes, too short for a safetensors file"));
}

// The tensors of a whole file in memory.
Content read_content(const std::byte* bytes, uint64_t size, const std::string& file) {
  check_length(size, file);
  uint64_t header_bytes;
  std::memcpy(&header_bytes, bytes, kLengthBytes);
  if (bytes[kLengthBytes] != std::byte{'{'}) {
    throw DataError(file, "header: expected { at its start; is this a safetensors file?");
  }
  if (header_bytes > kMaxHeaderBytes) {
    throw DataError(file,
                    text_of("header length: ", header_bytes, " bytes, more than the limit of ",
                            kMaxHeaderBytes, "; is this a safetensors file?"));
  }
  if (header_bytes > size - kLengthBytes) {
    throw DataError(file, text_of("header length: ", header_bytes, " bytes, but only ",
                                  size - kLengthBytes, " follow; the file was cut off"));
  }
  const uint64_t data_offset = kLengthBytes + header_bytes;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + kLengthBytes,
                              static_cast<size_t>(header_bytes));
  SafetensorsHeader header = parse_safetensors_header(text, file, data_offset, size - data_offset);

  Content content;
  content.metadata = std::move(header.metadata);
  content.tensors.reserve(header.entries.size());
  for (HeaderEntry& entry : header.entries) {
    content.tensors.push_back({.name = std::move(entry.name),
                               .dtype = entry.dtype,
                               .shape = std::move(entry.shape),
                               .data = bytes + data_offset + entry.begin,
                               .bytes = static_cast<size_t>(entry.end - entry.begin)});
  }
  return content;
}

void sort_by_name(std::vector<StoredTensor>& tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const StoredTensor& a, const StoredTensor& b) { return a.name < b.name; });
}

// File name -> names of its tensors, from the weight_map of an index.
std::map<std::string, std::vector<std::string>> shards_of(const JsonValue& index) {
  std::map<std::string, std::vector<std::string>> shards;
  for (const std::string& file : files_of_weight_map(index, ".safetensors")) shards[file];
  for (const auto& [tensor, file] : index.at("weight_map").json().items()) {
    shards[file.get_ref<const std::string&>()].push_back(tensor);  // in order, as the keys are
  }
  return shards;
}

// The tensors of a shard must be exactly those that the index promises.
void check_shard(const Safetensors& shard, const std::vector<std::string>& promised,
                 const std::string& index) {
  for (const std::string& name : promised) {
    if (shard.find(name) == nullptr) {
      throw DataError(shard.name(), "tensor " + excerpt(name) + " is missing, but " + index +
                                        " says that it is here");
    }
  }
  for (const StoredTensor& tensor : shard.tensors()) {
    if (!std::binary_search(promised.begin(), promised.end(), tensor.name)) {
      throw DataError(index, "field 'weight_map': tensor " + excerpt(tensor.name) + " of " +
                                 shard.name() + " is not listed for that file");
    }
  }
}

}  // namespace

Safetensors Safetensors::from_file(const fs::path& file) {
  const Input input(file, FileKind::kRegular);
  check_length(input.size(), input.name());
  Safetensors result;
  result.name_ = input.name();
  const Storage storage = map_file(input);
  Content content = read_content(storage.get(), input.size(), result.name_);
  result.tensors_ = std::move(content.tensors);
  result.metadata_ = std::move(content.metadata);
  result.storage_.push_back(storage);
  sort_by_name(result.tensors_);
  return result;
}

Safetensors Safetensors::from_bytes(std::string_view bytes, const std::string& name) {
  // operator new aligns to 16 bytes, more than any dtype asks for.
  auto* copy = new std::byte[bytes.size() + 1];
  const Storage storage(copy, std::default_delete<const std::byte[]>());
  std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), copy);
  Safetensors result;
  result.name_ = name;
  Content content = read_content(copy, bytes.size(), name);
  result.tensors_ = std::move(content.tensors);
  result.metadata_ = std::move(content.metadata);
  result.storage_.push_back(storage);
  sort_by_name(result.tensors_);
  return result;
}

Safetensors Safetensors::from_directory(const fs::path& directory) {
  std::error_code ignored;
  if (!fs::exists(directory, ignored)) {
    throw MissingInputError(directory.string() + ": no such directory; check the name");
  }
  if (fs::exists(directory / kFileName, ignored)) return from_file(directory / kFileName);
  if (!fs::exists(directory / kIndexName, ignored)) {
    throw MissingInputError(text_of(directory.string(), ": holds neither ", kFileName, " nor ",
                                    kIndexName, "; is it a model directory?"));
  }
  const JsonValue index = read_json(directory / kIndexName, {.max_bytes = kMaxIndexBytes});
  Safetensors result;
  result.name_ = index.file();
  for (const auto& [file, promised] : shards_of(index)) {
    Safetensors shard = from_file(directory / file);
    check_shard(shard, promised, result.name_);
    if (result.storage_.empty()) result.metadata_ = std::move(shard.metadata_);
    std::move(shard.tensors_.begin(), shard.tensors_.end(), std::back_inserter(result.tensors_));
    std::move(shard.storage_.begin(), shard.storage_.end(), std::back_inserter(result.storage_));
  }
  sort_by_name(result.tensors_);
  return result;
}

const StoredTensor* Safetensors::find(std::string_view name) const {
  const auto found = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const StoredTensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

const StoredTensor& Safetensors::at(std::string_view name) const {
  const StoredTensor* tensor = find(name);
  if (tensor == nullptr) throw DataError(name_, "tensor " + excerpt(name) + " is missing");
  return *tensor;
}

// ---- Writing

namespace {

std::string json_string(const std::string& text) {
  check_usage(is_utf8(text), excerpt(text), " is not UTF-8, as a safetensors file needs");
  return Json(text).dump();
}

// Checks the tensors and brings them into the order of the file.
std::vector<const StoredTensor*> in_file_order(const std::vector<StoredTensor>& tensors) {
  std::vector<const StoredTensor*> order;
  for (const StoredTensor& tensor : tensors) {
    const std::string shown = "tensor " + excerpt(tensor.name);
    check_usage(!tensor.name.empty(), "a tensor to be saved has no name");
    check_usage(tensor.name != "__metadata__", shown, ": the name is reserved");
    uint64_t bytes = 0;
    check_usage(tensor.shape.size() <= kMaxRank && tensor_bytes(tensor.shape, tensor.dtype, bytes),
                shown, ": the shape has a negative dimension, is too large or has more than ",
                kMaxRank, " dimensions");
    check_usage(bytes == tensor.bytes, shown, ": its shape takes ", bytes, " bytes, but it has ",
                tensor.bytes);
    check_usage(tensor.data != nullptr || bytes == 0, shown, ": has no data");
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const StoredTensor* a, const StoredTensor* b) {
    return std::tie(b->dtype, a->name) < std::tie(a->dtype, b->name);
  });
  return order;
}

void check_unique(std::vector<const StoredTensor*> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const StoredTensor* a, const StoredTensor* b) { return a->name < b->name; });
  const auto twice =
      std::adjacent_find(tensors.begin(), tensors.end(),
                         [](const auto* a, const auto* b) { return a->name == b->name; });
  check_usage(twice == tensors.end(), "tensor ",
              twice == tensors.end() ? "" : excerpt((*twice)->name), ": the name is used twice");
}

std::string header_text(const std::vector<const StoredTensor*>& tensors,
                        const SafetensorsMetadata& metadata) {
  std::string text = "{";
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      if (text.back() != '{') text += ',';
      text += json_string(key) + ':' + json_string(value);
    }
    text += '}';
  }
  uint64_t begin = 0;
  for (const StoredTensor* tensor : tensors) {
    if (text.size() > 1) text += ',';
    text += json_string(tensor->name) + ":{\"dtype\":\"" + std::string(dtype_name(tensor->dtype)) +
            "\",\"shape\":[";
    for (size_t i = 0; i < tensor->shape.size(); ++i) {
      text += (i > 0 ? "," : "") + std::to_string(tensor->shape[i]);
    }
    const uint64_t end = begin + tensor->bytes;
    text += "],\"data_offsets\":[" + std::to_string(begin) + ',' + std::to_string(end) + "]}";
    begin = end;
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');  // aligns the data
  check_usage(text.size() <= kMaxHeaderBytes, "the header of the safetensors file takes ",
              text.size(), " bytes, at most ", kMaxHeaderBytes, " are allowed; use fewer tensors");
  return text;
}

}  // namespace

void write_safetensors(OutputFile& file, const std::vector<StoredTensor>& tensors,
                       const SafetensorsMetadata& metadata) {
  const std::vector<const StoredTensor*> order = in_file_order(tensors);
  check_unique(order);
  const std::string header = header_text(order, metadata);
  const uint64_t length = header.size();
  file.write(&length, sizeof length);
  file.write(header);
  for (const StoredTensor* tensor : order) file.write(tensor->data, tensor->bytes);
}

void write_safetensors(const fs::path& file, const std::vector<StoredTensor>& tensors,
                       const SafetensorsMetadata& metadata) {
  AtomicFile output(file);
  write_safetensors(output.stream(), tensors, metadata);
  output.commit();
}

void write_safetensors(AtomicDirectory& directory, std::string_view name,
                       const std::vector<StoredTensor>& tensors,
                       const SafetensorsMetadata& metadata) {
  OutputFile output = directory.create(name);
  write_safetensors(output, tensors, metadata);
  output.finish();
}

}  // namespace heed
