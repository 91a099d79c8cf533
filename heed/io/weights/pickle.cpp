#include "heed/io/weights/pickle.h"

#include <array>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed {
namespace {

using Kind = PickleValue::Kind;

// The storages of torch by the names of their classes.
constexpr std::array<std::pair<std::string_view, SafetensorsDtype>, 10> kStorages{{
    {"torch.FloatStorage", SafetensorsDtype::kF32},
    {"torch.DoubleStorage", SafetensorsDtype::kF64},
    {"torch.HalfStorage", SafetensorsDtype::kF16},
    {"torch.BFloat16Storage", SafetensorsDtype::kBF16},
    {"torch.LongStorage", SafetensorsDtype::kI64},
    {"torch.IntStorage", SafetensorsDtype::kI32},
    {"torch.ShortStorage", SafetensorsDtype::kI16},
    {"torch.CharStorage", SafetensorsDtype::kI8},
    {"torch.ByteStorage", SafetensorsDtype::kU8},
    {"torch.BoolStorage", SafetensorsDtype::kBool},
}};

constexpr size_t kMostValues = 1 << 22;
constexpr size_t kMostItems = 1 << 23;  // of all values together
constexpr size_t kLongestKey = 256;
constexpr size_t kMostDimensions = 64;

constexpr std::string_view kOrderedDictionary = "collections.OrderedDict";
constexpr std::string_view kTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kOldTensor = "torch._utils._rebuild_tensor";
constexpr std::string_view kParameter = "torch._utils._rebuild_parameter";

const SafetensorsDtype* storage_dtype(std::string_view name) {
  for (const auto& [each, dtype] : kStorages) {
    if (each == name) return &dtype;
  }
  return nullptr;
}

bool is_known(std::string_view name) {
  return storage_dtype(name) != nullptr || name == kOrderedDictionary || name == kTensor ||
         name == kOldTensor || name == kParameter;
}

}  // namespace

class Unpickler {
 public:
  Unpickler(std::span<const std::byte> bytes, const std::string& file, Pickle& pickle)
      : rest_(bytes), whole_(bytes.size()), file_(file), pickle_(pickle) {}

  void run() {
    while (!step(take<uint8_t>())) {
    }
    pickle_.root_ = pop();
    pickle_.size_ = whole_ - rest_.size();
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(file_, text_of("byte ", whole_ - rest_.size(), " of a pickle: ", what));
  }
  [[noreturn]] void refuse(std::string_view name) const {
    throw DataError(file_, text_of("holds ", excerpt(name),
                                   ", which is neither a tensor, a storage nor an ordered "
                                   "dictionary: only these are read, and nothing is executed; "
                                   "save the weights alone, best as safetensors"));
  }

  // ---- Bytes

  std::span<const std::byte> take_bytes(uint64_t count) {
    if (count > rest_.size()) fail("the file was cut off");
    const auto taken = rest_.first(static_cast<size_t>(count));
    rest_ = rest_.subspan(static_cast<size_t>(count));
    return taken;
  }
  template <typename T>
  T take() {
    T value;
    std::memcpy(&value, take_bytes(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string take_text(uint64_t count) {
    const auto bytes = take_bytes(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string take_line() {
    std::string line;
    for (char letter = take<char>(); letter != '\n'; letter = take<char>()) line += letter;
    return line;
  }
  // A whole number of `count` bytes. One that needs more than 64 bits (the mark of an old file,
  // which has ten bytes) keeps its lowest: nothing but a comparison with that mark can ask for it.
  int64_t take_long(uint64_t count) {
    const auto bytes = take_bytes(count);
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i) {
      const bool negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0};
      const uint64_t byte = i < bytes.size() ? static_cast<uint64_t>(bytes[i]) : negative ? 255 : 0;
      value |= byte << (8 * i);
    }
    return static_cast<int64_t>(value);
  }

  // ---- The stack

  [[noreturn]] void refuse_count() const { fail("more values than the weights of a model have"); }
  void count_items(size_t count) {
    items_ += count;
    if (items_ > kMostItems) refuse_count();
  }
  PickleValue* push(PickleValue value) {
    if (pickle_.values_.size() >= kMostValues) refuse_count();
    count_items(value.items.size() + value.integers.size());
    pickle_.values_.push_back(std::move(value));
    stack_.push_back(&pickle_.values_.back());
    return stack_.back();
  }
  void push_integer(int64_t value) { push({.kind = Kind::kInteger, .integer = value}); }
  void push_text(std::string text) {
    if (!is_utf8(text)) fail("a text that is not UTF-8");
    push({.kind = Kind::kText, .text = std::move(text)});
  }
  PickleValue* top() {
    if (stack_.empty() || stack_.back()->kind == Kind::kMark) fail("nothing is on the stack");
    return stack_.back();
  }
  PickleValue* pop() {
    PickleValue* value = top();
    stack_.pop_back();
    return value;
  }
  // What was pushed since the last mark.
  std::vector<const PickleValue*> pop_mark() {
    size_t at = stack_.size();
    while (at > 0 && stack_[at - 1]->kind != Kind::kMark) --at;
    if (at == 0) fail("a mark is missing");
    std::vector<const PickleValue*> items(stack_.begin() + static_cast<std::ptrdiff_t>(at),
                                          stack_.end());
    stack_.resize(at - 1);
    return items;
  }
  void push_sequence(size_t count) {
    std::vector<const PickleValue*> items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    push({.kind = Kind::kSequence, .items = std::move(items)});
  }
  void append(Kind kind, const std::vector<const PickleValue*>& items) {
    PickleValue* to = top();
    if (to->kind != kind) fail("what is added to is of another kind");
    if (kind == Kind::kDictionary && items.size() % 2 != 0) fail("a key without a value");
    count_items(items.size());
    to->items.insert(to->items.end(), items.begin(), items.end());
  }
  void memoize(uint64_t index) { memo_[index] = top(); }
  void recall(uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail("a value is recalled that was not kept");
    stack_.push_back(found->second);
  }

  // ---- What torch makes

  void push_name(const std::string& module, const std::string& name) {
    const std::string full = module + "." + name;
    if (!is_known(full)) refuse(full);
    push({.kind = Kind::kName, .text = full});
  }

  // ('storage', torch.FloatStorage, key, place, elements) and, in old files, a view or None.
  void push_storage() {
    const PickleValue& id = *pop();
    const auto& items = id.items;
    const bool fits = id.kind == Kind::kSequence && items.size() >= 5 &&
                      items[0]->text == "storage" && items[1]->kind == Kind::kName &&
                      items[2]->kind == Kind::kText && items[2]->text.size() <= kLongestKey &&
                      items[4]->kind == Kind::kInteger && items[4]->integer >= 0;
    if (!fits) fail("expected a storage");
    if (items.size() > 5 && items[5]->kind != Kind::kNone)
      fail("a view of a storage, which torch has not written since 2017");
    const SafetensorsDtype* dtype = storage_dtype(items[1]->text);
    if (dtype == nullptr) refuse(items[1]->text);
    push({.kind = Kind::kStorage,
          .integer = items[4]->integer,
          .text = items[2]->text,
          .dtype = *dtype});
  }

  void push_tensor(const std::vector<const PickleValue*>& call) {
    const bool fits =
        call.size() >= 4 && call[0]->kind == Kind::kStorage && call[1]->kind == Kind::kInteger &&
        call[2]->kind == Kind::kSequence && call[3]->kind == Kind::kSequence &&
        call[2]->items.size() == call[3]->items.size() && call[2]->items.size() <= kMostDimensions;
    if (!fits) fail("expected a tensor");
    PickleValue tensor{.kind = Kind::kTensor, .items = {call[0]}, .integers = {call[1]->integer}};
    for (const PickleValue* list : {call[2], call[3]}) {
      for (const PickleValue* item : list->items) {
        if (item->kind != Kind::kInteger) fail("expected the sizes of a tensor");
        tensor.integers.push_back(item->integer);
      }
    }
    push(std::move(tensor));
  }

  // Calls what is known by name, and nothing else.
  void reduce() {
    const PickleValue& arguments = *pop();
    const PickleValue& callee = *pop();
    if (callee.kind != Kind::kName || arguments.kind != Kind::kSequence) fail("expected a call");
    if (callee.text == kTensor || callee.text == kOldTensor) return push_tensor(arguments.items);
    if (callee.text == kParameter) {
      if (arguments.items.empty() || arguments.items[0]->kind != Kind::kTensor) {
        fail("expected a parameter");
      }
      push(*arguments.items[0]);
      return;
    }
    if (callee.text != kOrderedDictionary) fail("a storage is called");
    if (arguments.items.size() > 1) fail("expected a dictionary");
    push({.kind = Kind::kDictionary});
    for (const PickleValue* pairs : arguments.items) {
      for (const PickleValue* pair : pairs->items) {
        if (pair->items.size() != 2) fail("expected a key with its value");
        append(Kind::kDictionary, pair->items);
      }
    }
  }

  // One instruction; true where it was the last.
  bool step(uint8_t code) {
    switch (code) {
      case '.':
        return true;
      case 0x80:  // the version
        take<uint8_t>();
        break;
      case 0x95:  // the length of what follows
        take<uint64_t>();
        break;
      case '(':
        push({.kind = Kind::kMark});
        break;
      case '0':
        pop();
        break;
      case 'N':
        push({});
        break;
      case 0x88:
      case 0x89:
        push({.kind = Kind::kBoolean, .integer = code == 0x88 ? 1 : 0});
        break;
      case 'J':
        push_integer(take<int32_t>());
        break;
      case 'K':
        push_integer(take<uint8_t>());
        break;
      case 'M':
        push_integer(take<uint16_t>());
        break;
      case 0x8a:
        push_integer(take_long(take<uint8_t>()));
        break;
      default:
        if (!step_text(code) && !step_container(code) && !step_object(code)) {
          fail(text_of("instruction ", static_cast<int>(code),
                       " is not one of those that torch writes"));
        }
    }
    return false;
  }

  bool step_text(uint8_t code) {
    switch (code) {
      case 'X':
      case 'T':
        push_text(take_text(take<uint32_t>()));
        return true;
      case 0x8c:
      case 'U':
        push_text(take_text(take<uint8_t>()));
        return true;
      case 0x8d:
        push_text(take_text(take<uint64_t>()));
        return true;
      default:
        return false;
    }
  }

  bool step_container(uint8_t code) {
    switch (code) {
      case '}':
        push({.kind = Kind::kDictionary});
        return true;
      case ']':
      case ')':
        push({.kind = Kind::kSequence});
        return true;
      case 't':
        push({.kind = Kind::kSequence, .items = pop_mark()});
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push_sequence(code - 0x84U);
        return true;
      case 'a': {
        const PickleValue* item = pop();
        append(Kind::kSequence, {item});
        return true;
      }
      case 'e': {
        const auto items = pop_mark();
        append(Kind::kSequence, items);
        return true;
      }
      case 's': {
        const PickleValue* value = pop();
        const PickleValue* key = pop();
        append(Kind::kDictionary, {key, value});
        return true;
      }
      case 'u': {
        const auto items = pop_mark();
        append(Kind::kDictionary, items);
        return true;
      }
      default:
        return false;
    }
  }

  bool step_object(uint8_t code) {
    switch (code) {
      case 'q':
        memoize(take<uint8_t>());
        return true;
      case 'r':
        memoize(take<uint32_t>());
        return true;
      case 0x94:
        memoize(memo_.size());
        return true;
      case 'h':
        recall(take<uint8_t>());
        return true;
      case 'j':
        recall(take<uint32_t>());
        return true;
      case 'c': {
        const std::string module = take_line();
        push_name(module, take_line());
        return true;
      }
      case 0x93: {
        const std::string name = pop()->text;
        push_name(pop()->text, name);
        return true;
      }
      case 'Q':
        push_storage();
        return true;
      case 'R':
        reduce();
        return true;
      case 'b':  // attributes, such as the versions of a state dictionary's modules
        pop();
        if (top()->kind != Kind::kDictionary)
          fail("attributes of something else than a dictionary");
        return true;
      default:
        return false;
    }
  }

  std::span<const std::byte> rest_;
  size_t whole_;
  const std::string& file_;
  Pickle& pickle_;
  std::vector<PickleValue*> stack_;
  size_t items_ = 0;
  std::unordered_map<uint64_t, PickleValue*> memo_;
};

Pickle::Pickle(std::span<const std::byte> bytes, const std::string& file) {
  Unpickler(bytes, file, *this).run();
}

}  // namespace heed
