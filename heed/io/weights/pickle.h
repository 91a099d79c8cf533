// Python's pickles, as far as the weights of torch are written in them: a program for a small stack
// machine, of which only what makes numbers, texts, lists, dictionaries, storages and tensors is
// done. Nothing is imported or called; a name of anything else is refused.
//                                            https://docs.python.org/3/library/pickletools.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/io/weights/safetensors.h"

namespace heed {

struct PickleValue {
  enum class Kind : uint8_t {
    kNone,
    kBoolean,
    kInteger,
    kText,
    kSequence,    // a tuple or a list
    kDictionary,  // items: key, value, key, value …
    kName,        // text: "collections.OrderedDict"
    kStorage,     // text: its key; dtype; integer: its elements
    kTensor,      // items: its storage; integers: offset, then the sizes, then as many strides
    kMark,
  };
  Kind kind = Kind::kNone;
  int64_t integer = 0;
  std::string text = {};
  SafetensorsDtype dtype = SafetensorsDtype::kF32;
  std::vector<const PickleValue*> items = {};
  std::vector<int64_t> integers = {};
};

// What one pickle holds. Its values live as long as this.
class Pickle {
 public:
  Pickle() = default;  // of nothing
  // Reads the pickle that `bytes` begin with. Throws DataError, naming `file`, where it is cut off,
  // damaged, or wants more than is read here.
  Pickle(std::span<const std::byte> bytes, const std::string& file);

  const PickleValue& root() const { return *root_; }
  size_t size() const { return size_; }  // bytes of it

 private:
  friend class Unpickler;
  std::deque<PickleValue> values_;
  const PickleValue* root_ = nullptr;
  size_t size_ = 0;
};

}  // namespace heed
