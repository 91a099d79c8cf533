// Tokenizers to and from tokenizer.json.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/io/file.h"
#include "heed/io/json.h"
#include "heed/io/utf8.h"
#include "heed/text/tokenizer_parts.h"

namespace heed::text {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;

std::vector<AddedToken> read_added_tokens(const JsonValue& json) {
  std::vector<AddedToken> tokens;
  for (size_t i = 0; i < json.array_size(); ++i) {
    const JsonValue entry = json.at(i);
    entry.check_keys({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    AddedToken token;
    token.content = entry.at("content").string();
    if (token.content.empty()) entry.at("content").fail("a string that is not empty");
    token.id = static_cast<int32_t>(
        entry.at("id").integer({.least = 0, .most = std::numeric_limits<int32_t>::max() - 1}));
    token.kind =
        entry.at("special").boolean() ? AddedToken::Kind::kSpecial : AddedToken::Kind::kOrdinary;
    token.matching = {.single_word = entry.at("single_word").boolean(),
                      .lstrip = entry.at("lstrip").boolean(),
                      .rstrip = entry.at("rstrip").boolean(),
                      .normalized = entry.at("normalized").boolean()};
    tokens.push_back(std::move(token));
  }
  std::stable_sort(tokens.begin(), tokens.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return tokens;
}

OrderedJson to_json(std::span<const AddedToken> tokens) {
  OrderedJson list = OrderedJson::array();
  for (const AddedToken& token : tokens) {
    list.push_back({{"id", token.id},
                    {"content", token.content},
                    {"single_word", token.matching.single_word},
                    {"lstrip", token.matching.lstrip},
                    {"rstrip", token.matching.rstrip},
                    {"normalized", token.matching.normalized},
                    {"special", token.kind == AddedToken::Kind::kSpecial}});
  }
  return list;
}

Truncation read_truncation(const JsonValue& json) {
  json.check_keys({"direction", "max_length", "strategy", "stride"});
  Truncation truncation;
  truncation.max_length = static_cast<int32_t>(
      json.at("max_length").integer({.least = 1, .most = std::numeric_limits<int32_t>::max()}));
  truncation.strategy =
      json.at("strategy")
          .one_of<TruncationStrategy>({{"LongestFirst", TruncationStrategy::kLongestFirst},
                                       {"OnlyFirst", TruncationStrategy::kOnlyFirst},
                                       {"OnlySecond", TruncationStrategy::kOnlySecond}});
  truncation.stride = json.at("stride").integer({.least = 0});
  if (json.has("direction")) {
    truncation.side = json.at("direction")
                          .one_of<TruncationSide>(
                              {{"Right", TruncationSide::kRight}, {"Left", TruncationSide::kLeft}});
  }
  return truncation;
}

std::string_view name_of(TruncationStrategy strategy) {
  switch (strategy) {
    case TruncationStrategy::kLongestFirst:
      return "LongestFirst";
    case TruncationStrategy::kOnlyFirst:
      return "OnlyFirst";
    case TruncationStrategy::kOnlySecond:
      return "OnlySecond";
  }
  return "";
}

OrderedJson to_json(const std::optional<Truncation>& truncation) {
  if (!truncation) return nullptr;
  return {{"direction", truncation->side == TruncationSide::kRight ? "Right" : "Left"},
          {"max_length", truncation->max_length},
          {"strategy", name_of(truncation->strategy)},
          {"stride", truncation->stride}};
}

// Padding is the business of batches, whatever length the file fixes; what is taken from here is
// the id.
int32_t read_padding(const JsonValue& json, const Tokenizer::Parts& parts) {
  json.check_keys(
      {"strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token"});
  const JsonValue strategy = json.at("strategy");
  if (strategy.json().is_object()) {
    strategy.at("Fixed").integer({.least = 0});
  } else {
    strategy.one_of<int>({{"BatchLongest", 0}});
  }
  json.at("direction").one_of<int>({{"Right", 0}, {"Left", 1}});
  const auto id = static_cast<int32_t>(
      json.at("pad_id").integer({.least = 0, .most = std::numeric_limits<int32_t>::max() - 1}));
  const AddedToken* added = parts.added.find(id);
  const Vocabulary& vocabulary = parts.model->vocabulary();
  const bool known = added != nullptr || id < vocabulary.size();
  const std::string token = !known             ? ""
                            : added != nullptr ? added->content
                                               : vocabulary.token_of(id);
  if (!known || token != json.at("pad_token").string()) {
    json.at("pad_id").fail("the id of " + excerpt(json.at("pad_token").string()));
  }
  return id;
}

void check_special_ids(const JsonValue& json, const Tokenizer::Parts& parts) {
  const auto known = [&](int32_t id) {
    return id < parts.model->vocabulary().size() || parts.added.find(id) != nullptr;
  };
  const PostProcessor& processor = parts.post_processor;
  for (const PostProcessor::Template* each : {&processor.single, &processor.pair}) {
    for (const PostProcessor::Part& part : *each) {
      if (part.kind == PostProcessor::Part::Kind::kSpecial && !known(part.id)) {
        json.fail("ids that the tokenizer has");
      }
    }
  }
}

Tokenizer::Parts read_parts(const JsonValue& json) {
  json.check_keys({"version", "truncation", "padding", "added_tokens", "normalizer",
                   "pre_tokenizer", "post_processor", "decoder", "model"});
  json.at("version").one_of<int>({{"1.0", 0}});
  Tokenizer::Parts parts;
  if (json.has("normalizer")) parts.normalizer = read_normalizer(json.at("normalizer"));
  if (json.has("pre_tokenizer")) {
    parts.pre_tokenizer = read_pre_tokenizer(json.at("pre_tokenizer"));
  }
  parts.model = read_model(json.at("model"));
  if (json.has("added_tokens")) {
    std::vector<AddedToken> tokens = read_added_tokens(json.at("added_tokens"));
    try {
      check_added_tokens(tokens, *parts.model);
    } catch (const UsageError& error) {
      throw DataError(json.file(), text_of("field 'added_tokens': ", error.what()));
    }
    parts.added = AddedVocabulary(std::move(tokens), parts.normalizer.get());
  }
  if (json.has("post_processor")) {
    parts.post_processor = read_post_processor(json.at("post_processor"));
    check_special_ids(json.at("post_processor"), parts);
  }
  if (json.has("decoder")) parts.decoder = read_decoder(json.at("decoder"));
  if (json.has("truncation")) parts.truncation = read_truncation(json.at("truncation"));
  if (json.has("padding")) {
    parts.padding_id = read_padding(json.at("padding"), parts);
    parts.padding = json.at("padding").json();
  }
  return parts;
}

template <typename Pointer>
OrderedJson json_or_null(const Pointer& part) {
  return part ? part->to_json() : OrderedJson(nullptr);
}

}  // namespace

Tokenizer Tokenizer::load(const std::filesystem::path& file) {
  return Tokenizer(read_parts(read_json(file, {.max_bytes = kMaxFileBytes})));
}

Tokenizer Tokenizer::from_json(std::string_view json, std::string_view where) {
  return Tokenizer(read_parts(parse_json(json, std::string(where), {.max_bytes = kMaxFileBytes})));
}

std::string Tokenizer::to_json() const {
  OrderedJson json;
  json["version"] = "1.0";
  json["truncation"] = text::to_json(parts_->truncation);
  json["padding"] = OrderedJson(parts_->padding);
  json["added_tokens"] = text::to_json(added_tokens());
  json["normalizer"] = json_or_null(parts_->normalizer);
  json["pre_tokenizer"] = json_or_null(parts_->pre_tokenizer);
  json["post_processor"] = OrderedJson(parts_->post_processor.json);
  json["decoder"] = json_or_null(parts_->decoder);
  json["model"] = parts_->model->to_json();
  return json_text(json);
}

void Tokenizer::save(const std::filesystem::path& file) const {
  AtomicFile output(file);
  output.write(to_json());
  output.commit();
}

}  // namespace heed::text
