#include "heed/nn/key_value_cache.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

constexpr int64_t kLeastCapacity = 64;

// The same with room for `capacity` tokens, the first `length` of them kept.
at::Tensor grown(const at::Tensor& old, const at::Tensor& like, int64_t capacity, int64_t length) {
  at::Tensor wide = at::empty({like.size(0), like.size(1), capacity, like.size(3)}, like.options());
  if (length > 0) wide.slice(2, 0, length).copy_(old.slice(2, 0, length));
  return wide;
}

void put(const at::Tensor& into, const at::Tensor& tokens, const Places& places) {
  const int64_t count = tokens.size(2);
  if (!places.starts.defined()) {
    into.slice(2, places.start, places.start + count).copy_(tokens);
    return;
  }
  if (count == 1) {
    const at::Tensor rows = at::arange(tokens.size(0), at::TensorOptions(at::kLong));
    at::Tensor target = into;
    target.index_put_({rows.to(into.device()), {}, places.starts.to(into.device())},
                      tokens.squeeze(2));
    return;
  }
  const at::Tensor starts = places.starts.cpu();
  for (int64_t b = 0; b < tokens.size(0); ++b) {
    const int64_t start = starts.const_data_ptr<int64_t>()[b];
    into[b].slice(1, start, start + count).copy_(tokens[b]);
  }
}

// The row of the memory that each of the chosen rows reads.
std::vector<int64_t> sources_of(const at::Tensor& rows, int64_t group) {
  const at::Tensor chosen = rows.cpu().contiguous();
  std::vector<int64_t> sources;
  for (int64_t i = 0; i < chosen.size(0); ++i) {
    sources.push_back(chosen.const_data_ptr<int64_t>()[i] / group);
  }
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

at::Tensor KeyValueCache::key() const { return key_.slice(2, 0, length_); }
at::Tensor KeyValueCache::value() const { return value_.slice(2, 0, length_); }

void KeyValueCache::reserve(const at::Tensor& key, const at::Tensor& value, int64_t length) {
  if (length <= capacity()) return;
  const int64_t wanted = std::max({length, 2 * capacity(), kLeastCapacity});
  key_ = grown(key_, key, wanted, length_);
  value_ = grown(value_, value, wanted, length_);
  spare_key_ = at::Tensor();
  spare_value_ = at::Tensor();
}

void KeyValueCache::append(const at::Tensor& key, const at::Tensor& value, const Places& places) {
  const c10::AutoGradMode no_gradients(false);
  check_usage(!key_.defined() || key_.size(0) == key.size(0), "key-value cache: it holds ",
              key_.defined() ? key_.size(0) : 0, " rows, got tokens of ", key.size(0));
  const int64_t end = end_of(places, key.size(2));
  check_usage(end - key.size(2) <= length_, "key-value cache: it holds ", length_,
              " tokens a row, got tokens for position ", end - key.size(2));
  reserve(key, value, end);
  put(key_, key, places);
  put(value_, value, places);
  length_ = end;
}

void KeyValueCache::select(const at::Tensor& rows) {
  if (!key_.defined()) return;
  const c10::AutoGradMode no_gradients(false);
  const at::Tensor chosen = rows.cpu().contiguous();
  const auto select_into = [&](at::Tensor& from, at::Tensor& spare) {
    if (!spare.defined() || spare.size(0) != chosen.size(0)) {
      spare = at::empty({chosen.size(0), from.size(1), from.size(2), from.size(3)}, from.options());
    }
    for (int64_t b = 0; b < chosen.size(0); ++b) {
      const int64_t row = chosen.const_data_ptr<int64_t>()[b];
      check_usage(row >= 0 && row < from.size(0), "key-value cache: there is no row ", row,
                  " among ", from.size(0));
      spare[b].slice(1, 0, length_).copy_(from[row].slice(1, 0, length_));
    }
    std::swap(from, spare);
  };
  select_into(key_, spare_key_);
  select_into(value_, spare_value_);
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

void DecoderCache::select(const at::Tensor& rows) {
  if (layers.empty()) return;
  const int64_t old_rows = layers[0].rows();
  for (KeyValueCache& layer : layers) layer.select(rows);
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
