#include "heed/models/published/assembly.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/utf8.h"
#include "heed/models/parts/sound_input.h"

namespace heed::models::published {
namespace {

// "encoder.layer_3.attention.output.weight" -> "encoder.layer_*.attention.output.weight", 3.
struct Place {
  std::string pattern;
  int64_t layer = -1;
};

Place place_of(const std::string& parameter) {
  constexpr std::string_view kLayer = "layer_";
  const size_t at = parameter.find(kLayer);
  if (at == std::string::npos) return {parameter};
  const size_t begin = at + kLayer.size();
  size_t end = begin;
  while (end < parameter.size() && std::isdigit(static_cast<unsigned char>(parameter[end]))) ++end;
  return {parameter.substr(0, begin) + "*" + parameter.substr(end),
          std::stoll(parameter.substr(begin, end - begin))};
}

// The name of a file's tensor in that layer.
std::string name_in_layer(std::string name, int64_t layer, const Plan& plan) {
  const std::vector<int64_t> numbers =
      plan.inner_layers > 0
          ? std::vector<int64_t>{layer / plan.inner_layers, layer % plan.inner_layers}
          : std::vector<int64_t>{layer};
  for (const int64_t number : numbers) {
    const size_t star = name.find('*');
    if (star != std::string::npos) name.replace(star, 1, std::to_string(number));
  }
  return name;
}

struct Match {
  const Rule* rule;
  std::string ending;  // ".weight"
};

std::optional<Match> match(const Rules& rules, const std::string& pattern) {
  for (const Rule& rule : rules) {
    if (pattern == rule.ours) return Match{&rule, ""};
    for (const char* ending : {".weight", ".bias"}) {
      if (pattern == rule.ours + ending) return Match{&rule, ending};
    }
  }
  return std::nullopt;
}

// Whether the rows of each stand in memory where those of the one before it end.
bool follow_each_other(const std::vector<at::Tensor>& parts) {
  const at::Tensor& first = parts.front();
  const auto* end = static_cast<const std::byte*>(first.const_data_ptr());
  for (const at::Tensor& part : parts) {
    const bool fits = part.dim() > 0 && part.dim() == first.dim() && part.is_contiguous() &&
                      part.scalar_type() == first.scalar_type() &&
                      part.sizes().slice(1) == first.sizes().slice(1);
    if (!fits || part.const_data_ptr() != end) return false;
    end += part.nbytes();
  }
  return true;
}

// All rows as one tensor: a view where they follow each other in the file, as the two halves of a
// gated feed-forward part do, otherwise a copy.
at::Tensor joined_rows(const std::vector<at::Tensor>& parts) {
  if (parts.size() == 1) return parts.front();
  if (!follow_each_other(parts)) return at::cat(parts);
  std::vector<int64_t> sizes = parts.front().sizes().vec();
  sizes[0] = 0;
  for (const at::Tensor& part : parts) sizes[0] += part.size(0);
  const auto keep = [parts](void*) {};
  return at::from_blob(parts.front().data_ptr(), sizes, keep, parts.front().options());
}

at::Tensor concatenated(const std::vector<at::Tensor>& parts, Layout layout, const Plan& plan) {
  std::vector<at::Tensor> rows;
  for (const at::Tensor& part : parts) {
    rows.push_back(layout == Layout::kTransposed && part.dim() == 2 ? part.t() : part);
  }
  at::Tensor whole = joined_rows(rows);
  if (layout == Layout::kOneRow) whole = whole.flatten();
  const bool heads =
      layout == Layout::kByHead && whole.dim() > 0 && whole.size(0) % (3 * plan.heads) == 0;
  return (heads ? by_head(whole, plan.heads, false) : whole).to(at::kFloat).contiguous();
}

class Assembly {
 public:
  Assembly(const Rules& rules, const Plan& plan, const Weights& weights, Missing missing)
      : rules_(rules), plan_(plan), weights_(weights), missing_(missing) {}

  Assembled run(torch::nn::Module& module) {
    for (const auto& item : module.named_parameters()) assign(item.key(), item.value());
    return std::move(result_);
  }

 private:
  void assign(const std::string& name, at::Tensor parameter) {
    const Place place = place_of(name);
    const auto found = match(rules_, place.pattern);
    if (!found) throw Error("published model: no rule says what '" + name + "' is called");
    const auto named = [&](const std::string& theirs) {
      return name_in_layer(theirs + found->ending, place.layer, plan_);
    };
    Origin origin{.parameter = parameter, .layout = found->rule->layout};
    for (const std::string& each : found->rule->theirs) {
      const bool zeros =
          found->ending == ".bias" && std::ssize(origin.theirs) == found->rule->without_bias;
      origin.theirs.push_back(zeros ? "" : named(each));
    }
    for (const std::string& each : found->rule->copies) origin.copies.push_back(named(each));
    for (const std::string& each : origin.copies) result_.used.push_back(lookup_name(each));
    std::vector<std::string> also;
    for (const std::string& each : found->rule->also) also.push_back(named(each));
    fill(origin, also);
    result_.origins.push_back(std::move(origin));
  }

  void fill(Origin& origin, const std::vector<std::string>& also) {
    std::vector<at::Tensor> parts;
    for (const std::string& name : origin.theirs) {
      parts.push_back(name.empty() ? zeros_of(origin) : find(name, also));
    }
    const bool complete = std::all_of(parts.begin(), parts.end(),
                                      [](const at::Tensor& each) { return each.defined(); });
    at::Tensor& parameter = origin.parameter;
    if (complete) {
      const at::Tensor whole = concatenated(parts, origin.layout, plan_);
      if (whole.sizes() == parameter.sizes()) {
        for (const at::Tensor& part : parts) {
          const bool last =
              origin.layout == Layout::kTransposed || origin.layout == Layout::kOneRow;
          origin.rows.push_back(last ? part.size(-1) : part.size(0));
        }
        parameter.set_data(whole);
        return;
      }
      if (missing_ == Missing::kRefuse) refuse_shape(names_in_file(origin)[0], whole, parameter);
    } else if (missing_ == Missing::kRefuse && origin.layout != Layout::kOneRow) {
      for (const std::string& name : names_in_file(origin)) weights_.at(lookup_name(name));
    }
    begin_anew(parameter);
    origin.rows = {parameter.size(0)};
    if (origin.layout == Layout::kOneRow) return;
    for (const std::string& name : names_in_file(origin)) {
      result_.fresh.push_back(lookup_name(name));
    }
  }

  static std::vector<std::string> names_in_file(const Origin& origin) {
    std::vector<std::string> names = origin.theirs;
    std::erase(names, "");
    return names;
  }

  static at::Tensor zeros_of(const Origin& origin) {
    return at::zeros({origin.parameter.size(0) / std::ssize(origin.theirs)});
  }

  at::Tensor find(const std::string& name, const std::vector<std::string>& also) {
    at::Tensor found = weights_.find(lookup_name(name));
    if (found.defined()) result_.used.push_back(lookup_name(name));
    for (const std::string& other : also) {
      result_.used.push_back(lookup_name(other));
      if (!found.defined()) found = weights_.find(lookup_name(other));
    }
    return found;
  }

  [[noreturn]] void refuse_shape(const std::string& name, const at::Tensor& found,
                                 const at::Tensor& expected) const {
    throw DataError(
        weights_.file(),
        text_of("tensor ", excerpt(lookup_name(name)), ": expected a shape that gives ",
                expected.sizes(), ", as config.json says, found one that gives ", found.sizes()));
  }

  const Rules& rules_;
  const Plan& plan_;
  const Weights& weights_;
  Missing missing_;
  Assembled result_;
};

}  // namespace

std::string saved_name(const std::string& name, const std::string& base) {
  if (!name.starts_with('.')) return name;
  return base.empty() ? name.substr(1) : base + name;
}

std::string lookup_name(const std::string& name) { return saved_name(name, ""); }

at::Tensor by_head(const at::Tensor& tensor, int64_t heads, bool back) {
  std::vector<int64_t> sizes = {back ? 3 : heads, back ? heads : 3, tensor.size(0) / (3 * heads)};
  for (int64_t i = 1; i < tensor.dim(); ++i) sizes.push_back(tensor.size(i));
  return tensor.reshape(sizes).transpose(0, 1).reshape(tensor.sizes());
}

void begin_anew(at::Tensor& parameter) {
  const c10::AutoGradMode no_gradients(false);
  // Where a head had a size of its own in the file, its memory may be the file's.
  parameter.set_data(at::empty_like(parameter));
  if (parameter.dim() < 2) {
    parameter.zero_();
  } else {
    parameter.normal_(0, 0.02);
  }
}

Assembled assemble(torch::nn::Module& module, const Rules& rules, const Plan& plan,
                   const Weights& weights, Missing missing) {
  const c10::AutoGradMode no_gradients(false);
  return Assembly(rules, plan, weights, missing).run(module);
}

std::vector<NamedTensor> saved_tensors(const Origin& origin, const Plan& plan,
                                       const std::string& base) {
  const c10::AutoGradMode no_gradients(false);
  at::Tensor whole = origin.parameter.detach();
  if (origin.layout == Layout::kByHead) whole = by_head(whole, plan.heads, true);
  std::vector<NamedTensor> saved;
  int64_t begin = 0;
  for (size_t i = 0; i < origin.theirs.size(); ++i) {
    at::Tensor part = whole.dim() > 0 ? whole.narrow(0, begin, origin.rows[i]) : whole;
    if (origin.layout == Layout::kTransposed && part.dim() == 2) part = part.t();
    if (origin.layout == Layout::kOneRow) part = part.unsqueeze(0);
    begin += origin.rows[i];
    if (origin.theirs[i].empty()) continue;
    saved.push_back({saved_name(origin.theirs[i], base), part.contiguous()});
  }
  for (const std::string& copy : origin.copies) {
    saved.push_back({saved_name(copy, base), whole.contiguous()});
  }
  return saved;
}

std::vector<StoredTensor> stored(const std::vector<NamedTensor>& tensors) {
  std::vector<StoredTensor> all;
  for (const NamedTensor& each : tensors) {
    all.push_back({.name = each.name,
                   .dtype = SafetensorsDtype::kF32,
                   .shape = each.tensor.sizes().vec(),
                   .data = static_cast<const std::byte*>(each.tensor.const_data_ptr()),
                   .bytes = each.tensor.nbytes()});
  }
  return all;
}

namespace {

class SizeCheck {
 public:
  SizeCheck(const Plan& plan, const Weights& weights) : plan_(plan), weights_(weights) {}

  void input(const std::string& name, int64_t vocab_size, const TransformerOptions& o) const {
    const int64_t width = o.input.d_embedding > 0 ? o.input.d_embedding : o.d_model;
    numbers(name + ".embedding.weight", 0, vocab_size * width);
    if (o.attention.positions == "learned") {
      numbers(name + ".positions.table", 0, (o.max_length + o.input.position_offset) * width);
    }
    if (o.input.token_types > 0) numbers(name + ".types.weight", 0, o.input.token_types * width);
  }

  void sound(const EncoderDecoderOptions& o) const {
    const int64_t width = o.transformer.d_model;
    numbers("sound.first_weight", 0, width * o.source_mel_bins * SoundInput::kKernel);
    numbers("sound.positions.table", 0, width * o.source_positions);
  }

  void squares(const ImageEncoderOptions& o) const {
    const int64_t width = o.transformer.d_model;
    numbers("patch_weight", 0, width * o.channels * o.patch_height * o.patch_width);
    const int64_t patches = o.image_height / o.patch_height * (o.image_width / o.patch_width);
    numbers("positions", 0, width * (1 + patches));
  }

  void stack(const std::string& name, int64_t layers, int64_t d_ff,
             const TransformerOptions& o) const {
    const nn::LayerDetails& details = o.details;
    const int64_t own =
        details.layer_groups > 0 ? details.layer_groups * details.inner_layers : layers;
    const std::string layer = name + ".layer_*.";
    numbers(layer + "feed_forward.down.weight", 0, o.d_model * d_ff);
    numbers(layer + "feed_forward.down.weight", own - 1, o.d_model * d_ff);
    const int64_t head_dim =
        details.attention.head_dim > 0 ? details.attention.head_dim : o.d_model / o.num_heads;
    numbers(layer + "attention.output.weight", 0, o.d_model * o.num_heads * head_dim);
  }

 private:
  void numbers(const std::string& ours, int64_t layer, int64_t expected) const {
    const auto found = match(plan_.network_rules, ours);
    if (!found) return;
    const auto name = [&](const std::string& theirs) {
      return lookup_name(name_in_layer(theirs + found->ending, layer, plan_));
    };
    at::Tensor tensor = weights_.find(name(found->rule->theirs[0]));
    for (const std::string& other : found->rule->also) {
      if (!tensor.defined()) tensor = weights_.find(name(other));
    }
    if (!tensor.defined()) weights_.at(name(found->rule->theirs[0]));
    if (tensor.numel() == expected) return;
    throw DataError(weights_.file(),
                    text_of("tensor ", excerpt(name(found->rule->theirs[0])), ": expected ",
                            expected, " numbers, as config.json says, found ", tensor.numel()));
  }

  const Plan& plan_;
  const Weights& weights_;
};

}  // namespace

void check_sizes(const Plan& plan, const Weights& weights) {
  const SizeCheck check(plan, weights);
  if (const auto* encoder = std::get_if<TextEncoderOptions>(&plan.network)) {
    const TransformerOptions& o = encoder->transformer;
    check.input("input", encoder->vocab_size, o);
    check.stack("encoder", o.num_layers, o.d_ff, o);
  } else if (const auto* language = std::get_if<LanguageModelOptions>(&plan.network)) {
    const TransformerOptions& o = language->transformer;
    check.input("input", language->vocab_size, o);
    check.stack("decoder", o.num_layers, o.d_ff, o);
  } else if (const auto* both = std::get_if<EncoderDecoderOptions>(&plan.network)) {
    const TransformerOptions& o = both->transformer;
    check.input("source", both->source_vocab_size, o);
    check.input("target", both->target_vocab_size, o);
    if (both->source_mel_bins > 0) check.sound(*both);
    check.stack("encoder", o.num_layers, o.d_ff, o);
    check.stack("decoder", both->num_decoder_layers, both->decoder_d_ff, o);
  } else if (const auto* image = std::get_if<ImageEncoderOptions>(&plan.network)) {
    const TransformerOptions& o = image->transformer;
    check.squares(*image);
    check.stack("encoder", o.num_layers, o.d_ff, o);
  }
}

}  // namespace heed::models::published
