#include "heed/io/weights/torch_file.h"

#include <cstring>
#include <map>
#include <span>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/input.h"
#include "heed/io/utf8.h"
#include "heed/io/weights/mapped_file.h"
#include "heed/io/weights/pickle.h"
#include "heed/io/weights/stored_zip.h"

namespace heed {
namespace {

using Bytes = std::span<const std::byte>;
using Kind = PickleValue::Kind;

// The lowest 64 bits of the number that an old file begins with: 0x1950a86a20f9469cfc6c.
constexpr uint64_t kOldMark = 0xa86a20f9469cfc6c;

// The tensors of a state dictionary, and the storages that they are views of.
struct TorchContent {
  std::vector<std::pair<std::string, const PickleValue*>> tensors;
  std::map<std::string, const PickleValue*> storages;  // by their keys
  std::map<std::string, Bytes> bytes;
};

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw DataError(file, what);
}

TorchContent content_of(const Pickle& pickle, const std::string& file) {
  const PickleValue& root = pickle.root();
  if (root.kind != Kind::kDictionary) {
    refuse(file, "expected a dictionary of tensors by name");
  }
  TorchContent content;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleValue& name = *root.items[i];
    const PickleValue& tensor = *root.items[i + 1];
    if (name.kind != Kind::kText) refuse(file, "expected a dictionary with names as keys");
    if (tensor.kind != Kind::kTensor) {
      refuse(file, excerpt(name.text) +
                       ": expected a tensor; is this a checkpoint of a training "
                       "run, and not the weights of a model?");
    }
    content.tensors.emplace_back(name.text, &tensor);
    const PickleValue* storage = tensor.items[0];
    const auto [known, is_new] = content.storages.emplace(storage->text, storage);
    if (!is_new &&
        (known->second->dtype != storage->dtype || known->second->integer != storage->integer)) {
      refuse(file, excerpt(name.text) + ": its storage is described in two ways");
    }
  }
  return content;
}

// Bytes of a storage; more than the file has where they overflow.
uint64_t bytes_of(const PickleValue& storage, Bytes file) {
  const auto count = static_cast<uint64_t>(storage.integer);
  return count > file.size() ? uint64_t{file.size()} + 1 : count * dtype_bytes(storage.dtype);
}

void read_zip(Bytes bytes, const std::string& file, Pickle& pickle, TorchContent& content) {
  constexpr std::string_view kPickle = "/data.pkl";
  const auto entries = stored_entries(bytes, file);
  std::string folder;
  for (const auto& [name, entry] : entries) {
    if (name.ends_with(kPickle)) folder = name.substr(0, name.size() - kPickle.size());
  }
  const auto found = entries.find(folder + std::string(kPickle));
  if (found == entries.end())
    refuse(file, "holds no data.pkl, so it is not what torch.save writes");
  const auto order = entries.find(folder + "/byteorder");
  if (order != entries.end() && order->second.size() >= 3 &&
      std::memcmp(order->second.data(), "big", 3) == 0) {
    refuse(file, "its numbers are big endian; save it again on a usual machine");
  }
  pickle = Pickle(found->second, file);
  content = content_of(pickle, file);
  for (const auto& [key, storage] : content.storages) {
    const auto data = entries.find(folder + "/data/" + key);
    if (data == entries.end()) refuse(file, "the storage " + excerpt(key) + " is missing");
    content.bytes[key] = data->second;
  }
}

// Four pickles (mark, version, machine, weights) and one with the keys of the storages; then of
// each storage the number of its elements and these.
void read_old(Bytes bytes, const std::string& file, Pickle& pickle, TorchContent& content) {
  Bytes rest = bytes;
  const auto take = [&] {
    Pickle next(rest, file);
    rest = rest.subspan(next.size());
    return next;
  };
  const Pickle mark = take();
  if (mark.root().kind != Kind::kInteger ||
      static_cast<uint64_t>(mark.root().integer) != kOldMark) {
    refuse(file, "is not what torch.save writes");
  }
  take();
  take();
  pickle = take();
  content = content_of(pickle, file);
  const Pickle keys = take();
  for (const PickleValue* key : keys.root().items) {
    const auto storage = content.storages.find(key->text);
    if (storage == content.storages.end()) refuse(file, "a storage that no tensor is a view of");
    int64_t count = 0;
    const uint64_t size = bytes_of(*storage->second, bytes);
    if (rest.size() < sizeof(count) || size > rest.size() - sizeof(count)) {
      refuse(file, "the file was cut off");
    }
    std::memcpy(&count, rest.data(), sizeof(count));
    if (count != storage->second->integer)
      refuse(file, "the size of a storage is not what it says");
    content.bytes[key->text] = rest.subspan(sizeof(count), static_cast<size_t>(size));
    rest = rest.subspan(sizeof(count) + static_cast<size_t>(size));
  }
}

// Throws unless all elements of the tensor are in its storage.
void check_view(const StridedTensor& tensor, int64_t offset, int64_t count,
                const std::string& file) {
  const auto refuse_view = [&] {
    refuse(file, "tensor " + excerpt(tensor.name) + ": is no view of its storage");
  };
  bool empty = false;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] < 0 || tensor.strides[i] < 0) refuse_view();
    empty = empty || tensor.shape[i] == 0;
  }
  if (offset < 0 || offset > count) refuse_view();
  if (empty) return;
  int64_t last = offset;  // below count, so that nothing overflows
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    const int64_t steps = tensor.shape[i] - 1;
    if (steps == 0 || tensor.strides[i] == 0) continue;
    if (steps > (count - 1 - last) / tensor.strides[i]) refuse_view();
    last += steps * tensor.strides[i];
  }
  if (last >= count) refuse_view();
}

}  // namespace

TorchFile TorchFile::from_file(const std::filesystem::path& path) {
  const Input input(path, FileKind::kRegular);
  const std::string& file = input.name();
  if (input.size() == 0) refuse(file, "is empty");
  const std::shared_ptr<std::byte> mapped = map_file(input);
  const Bytes bytes(mapped.get(), static_cast<size_t>(input.size()));
  Pickle pickle;
  TorchContent content;
  (is_zip(bytes) ? read_zip : read_old)(bytes, file, pickle, content);

  TorchFile result;
  result.name_ = file;
  result.storage_.push_back(mapped);
  for (auto& [key, data] : content.bytes) {
    const PickleValue& storage = *content.storages.at(key);
    if (data.size() < bytes_of(storage, bytes))
      refuse(file, "the storage " + excerpt(key) + " is cut off");
    if (reinterpret_cast<uintptr_t>(data.data()) % dtype_bytes(storage.dtype) == 0) continue;
    const std::shared_ptr<std::byte[]> copy(new std::byte[data.size() + 1]);
    std::memcpy(copy.get(), data.data(), data.size());
    data = Bytes(copy.get(), data.size());
    result.storage_.push_back(copy);
  }
  for (const auto& [name, value] : content.tensors) {
    const PickleValue& storage = *value->items[0];
    const auto data = content.bytes.find(storage.text);
    if (data == content.bytes.end())
      refuse(file, "tensor " + excerpt(name) + ": its storage is missing");
    const auto rank = static_cast<std::ptrdiff_t>((value->integers.size() - 1) / 2);
    const auto sizes = value->integers.begin() + 1;
    StridedTensor tensor{.name = name,
                         .dtype = storage.dtype,
                         .shape = {sizes, sizes + rank},
                         .strides = {sizes + rank, value->integers.end()},
                         .data = data->second.data()};
    check_view(tensor, value->integers[0], storage.integer, file);
    tensor.data += value->integers[0] * static_cast<int64_t>(dtype_bytes(storage.dtype));
    result.tensors_.push_back(std::move(tensor));
  }
  return result;
}

}  // namespace heed
