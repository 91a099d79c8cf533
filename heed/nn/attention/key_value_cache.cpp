#include "heed/nn/attention/key_value_cache.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>

#include "heed/base/error.h"
#include "heed/ops/sharing.h"

namespace heed::nn {
namespace {

constexpr int64_t kLeastCapacity = 16;

// The same with room for `capacity` tokens, the first `length` of them kept.
at::Tensor grown(const at::Tensor& old, const at::Tensor& like, int64_t capacity, int64_t length) {
  at::Tensor wide = at::empty({like.size(0), like.size(1), capacity, like.size(3)}, like.options());
  if (length > 0) {
    wide.slice(2, 0, length).copy_(old.narrow(0, 0, like.size(0)).slice(2, 0, length));
  }
  return wide;
}

void put(const at::Tensor& into, const at::Tensor& tokens, const TokenPositions& positions) {
  const int64_t count = tokens.size(2);
  if (!positions.starts.defined()) {
    into.slice(2, positions.start, positions.start + count).copy_(tokens);
    return;
  }
  if (count == 1) {
    const at::Tensor rows = at::arange(tokens.size(0), at::TensorOptions(at::kLong));
    at::Tensor target = into;
    target.index_put_({rows.to(into.device()), {}, positions.starts.to(into.device())},
                      tokens.squeeze(2));
    return;
  }
  const at::Tensor starts = positions.starts.cpu();
  for (int64_t b = 0; b < tokens.size(0); ++b) {
    const int64_t start = starts.const_data_ptr<int64_t>()[b];
    into[b].slice(1, start, start + count).copy_(tokens[b]);
  }
}

// A copy of one row; kSpare stands for a place beside the rows.
struct Move {
  int64_t from = 0;
  int64_t to = 0;
};
constexpr int64_t kSpare = -1;

std::vector<int64_t> numbers_of(const at::Tensor& rows) {
  const at::Tensor there = rows.cpu().contiguous();
  const auto* begin = there.const_data_ptr<int64_t>();
  return {begin, begin + there.numel()};
}

// Copies after which row i is what row chosen[i] was, in an order in which no row is overwritten
// that is still to be read. Rows that stay, most of them in beam search, cost nothing.
std::vector<Move> moves_in_place(const std::vector<int64_t>& chosen, int64_t rows) {
  const auto count = static_cast<int64_t>(chosen.size());
  std::vector<int64_t> readers(static_cast<size_t>(std::max(rows, count)));
  std::vector<char> waits(readers.size());
  for (int64_t to = 0; to < count; ++to) {
    if (chosen[to] == to) continue;
    waits[to] = true;
    ++readers[chosen[to]];
  }
  std::vector<int64_t> ready;
  for (int64_t to = 0; to < count; ++to) {
    if (waits[to] && readers[to] == 0) ready.push_back(to);
  }
  std::vector<Move> moves;
  const auto move = [&](int64_t from, int64_t to) {
    moves.push_back({from, to});
    waits[to] = false;
  };
  while (!ready.empty()) {
    const int64_t to = ready.back();
    const int64_t from = chosen[to];
    ready.pop_back();
    move(from, to);
    if (--readers[from] == 0 && waits[from]) ready.push_back(from);
  }
  // What still waits stands in circles.
  for (int64_t first = 0; first < count; ++first) {
    if (!waits[first]) continue;
    moves.push_back({first, kSpare});
    int64_t to = first;
    for (; chosen[to] != first; to = chosen[to]) move(chosen[to], to);
    move(kSpare, to);
  }
  return moves;
}

// Of rows of (B, Hk, capacity, D) tensors without gaps, the first `length` tokens.
void copy_rows(const at::Tensor& from, const at::Tensor& to, const std::vector<Move>& moves,
               int64_t length) {
  const int64_t heads = to.size(1);
  const auto bytes = static_cast<size_t>(length * to.size(3)) * to.element_size();
  const auto moved = static_cast<double>(heads) * static_cast<double>(moves.size() * bytes);
  for_each_stretch(heads, 5 * moved, [&](int64_t begin, int64_t end) {
    std::vector<char> spare(bytes);
    for (int64_t head = begin; head < end; ++head) {
      const auto place = [&](const at::Tensor& tensor, int64_t row) {
        const int64_t element = (row * heads + head) * tensor.stride(1);
        return row == kSpare ? spare.data()
                             : static_cast<char*>(tensor.data_ptr()) +
                                   element * static_cast<int64_t>(tensor.element_size());
      };
      for (const Move& each : moves) {
        std::memcpy(place(to, each.to), place(from, each.from), bytes);
      }
    }
  });
}

// The copies that lead from `rows` rows to the chosen ones: in place, or into another tensor.
std::vector<Move> moves_between(const std::vector<int64_t>& chosen, int64_t rows, bool in_place) {
  if (in_place) return moves_in_place(chosen, rows);
  std::vector<Move> moves;
  for (const int64_t from : chosen) moves.push_back({from, std::ssize(moves)});
  return moves;
}

// The row of the memory that each of the chosen rows reads.
std::vector<int64_t> sources_of(const at::Tensor& rows, int64_t group) {
  std::vector<int64_t> sources = numbers_of(rows);
  for (int64_t& source : sources) source /= group;
  return sources;
}

// The size of the groups of equal neighbours, if all have the same; else 1.
int64_t group_of(const std::vector<int64_t>& sources) {
  size_t group = 1;
  while (group < sources.size() && sources[group] == sources[0]) ++group;
  for (size_t i = 0; i < sources.size(); ++i) {
    if (sources.size() % group != 0 || sources[i] != sources[i - i % group]) return 1;
  }
  return static_cast<int64_t>(group);
}

}  // namespace

int64_t KeyValueCache::capacity() const { return key_.defined() ? key_.size(2) : 0; }

at::Tensor KeyValueCache::key() const { return key_.narrow(0, 0, rows_).slice(2, 0, length_); }
at::Tensor KeyValueCache::value() const { return value_.narrow(0, 0, rows_).slice(2, 0, length_); }

void KeyValueCache::reserve(const at::Tensor& key, const at::Tensor& value, int64_t length) {
  if (length <= capacity()) return;
  const int64_t wanted = std::max({length, 2 * capacity(), kLeastCapacity});
  key_ = grown(key_, key, wanted, length_);
  value_ = grown(value_, value, wanted, length_);
}

void KeyValueCache::append(const at::Tensor& key, const at::Tensor& value,
                           const TokenPositions& positions) {
  const c10::AutoGradMode no_gradients(false);
  check_usage(!key_.defined() || rows_ == key.size(0), "key-value cache: it holds ", rows_,
              " rows, got tokens of ", key.size(0));
  const int64_t end = end_of(positions, key.size(2));
  check_usage(end - key.size(2) <= length_, "key-value cache: it holds ", length_,
              " tokens a row, got tokens for position ", end - key.size(2));
  reserve(key, value, end);
  rows_ = key.size(0);
  put(key_.narrow(0, 0, rows_), key, positions);
  put(value_.narrow(0, 0, rows_), value, positions);
  length_ = end;
}

void KeyValueCache::select(const at::Tensor& rows) {
  if (!key_.defined()) return;
  const c10::AutoGradMode no_gradients(false);
  const std::vector<int64_t> chosen = numbers_of(rows);
  for (const int64_t row : chosen) {
    check_usage(row >= 0 && row < rows_, "key-value cache: there is no row ", row, " among ",
                rows_);
  }
  const auto count = static_cast<int64_t>(chosen.size());
  const bool in_place = count <= key_.size(0);
  const std::vector<Move> moves = moves_between(chosen, rows_, in_place);
  for (at::Tensor* tensor : {&key_, &value_}) {
    if (!tensor->is_cpu()) {
      *tensor = tensor->index_select(0, rows.to(tensor->device()));
      continue;
    }
    const at::Tensor into =
        in_place ? *tensor
                 : at::empty({count, tensor->size(1), tensor->size(2), tensor->size(3)},
                             tensor->options());
    copy_rows(*tensor, into, moves, length_);
    *tensor = into;
  }
  rows_ = count;
}

void DecoderCache::advance(int64_t count, const at::Tensor& new_lengths) {
  if (new_lengths.defined() || lengths.defined()) {
    const at::Tensor before =
        lengths.defined() ? lengths : at::full({new_lengths.size(0)}, length, at::kLong);
    lengths = new_lengths.defined() ? before + new_lengths.cpu() : before + count;
    measure();
  } else {
    length += count;
  }
}

void DecoderCache::measure() {
  length = lengths.numel() > 0 ? lengths.max().item<int64_t>() : 0;
  if (lengths.numel() == 0 || lengths.min().item<int64_t>() == length) lengths = at::Tensor();
}

int64_t DecoderCache::rows() const {
  return layers.empty() ? carried[0][0].size(0) : layers[0].rows();
}

void DecoderCache::select(const at::Tensor& rows) {
  if (layers.empty() && carried.empty()) return;
  const int64_t old_rows = this->rows();
  for (KeyValueCache& layer : layers) layer.select(rows);
  for (std::vector<at::Tensor>& layer : carried) {
    for (at::Tensor& each : layer) each = each.index_select(0, rows.to(each.device()));
  }
  if (lengths.defined()) {
    lengths = lengths.index_select(0, rows.cpu());
    measure();
  }
  if (!memory.empty()) select_memory(sources_of(rows, old_rows / memory[0].key.size(0)));
}

// Where the rows still come in groups of the same size, each group has one memory.
void DecoderCache::select_memory(std::vector<int64_t> sources) {
  const auto count = static_cast<int64_t>(sources.size());
  const int64_t group = group_of(sources);
  for (int64_t i = 0; i < count / group; ++i) sources[i] = sources[i * group];
  sources.resize(count / group);
  bool same = static_cast<int64_t>(sources.size()) == memory[0].key.size(0);
  for (size_t i = 0; same && i < sources.size(); ++i) same = sources[i] == static_cast<int64_t>(i);
  if (same) return;
  const at::Tensor chosen = at::tensor(sources, at::kLong);
  for (ProjectedMemory& each : memory) {
    each.key = each.key.index_select(0, chosen.to(each.key.device()));
    each.value = each.value.index_select(0, chosen.to(each.value.device()));
  }
  if (memory_lengths.defined()) {
    memory_lengths = memory_lengths.index_select(0, chosen.to(memory_lengths.device()));
  }
}

void DecoderCache::clear() { *this = {}; }

}  // namespace heed::nn
