// The pre-tokenizer Split, declared in subword_pre_tokenizers.h.
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/text/regex/text_pattern.h"
#include "heed/text/steps/delimiters.h"
#include "heed/text/steps/subword_pre_tokenizers.h"

namespace heed::text {
namespace {

// At every match, or with `invert` at everything else.
class Split final : public PreTokenizer {
 public:
  Split(TextPattern pattern, Delimiters behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void apply(SplitText& split) const override {
    const std::string_view text = split.text.text();
    std::vector<DelimitedPart> parts;
    std::vector<Span> matches;
    split_pieces(split, [&](Span range, std::vector<Piece>& pieces) {
      parts.clear();
      matches.clear();
      pattern_.find_all(text.substr(range.begin, range.size()), matches);
      const auto add = [&](uint32_t begin, uint32_t end, bool match) {
        if (begin < end || match) parts.push_back({{begin, end}, match != invert_});
      };
      uint32_t at = range.begin;
      for (const Span& match : matches) {
        add(at, range.begin + match.begin, false);
        at = range.begin + match.end;
        add(range.begin + match.begin, at, true);
      }
      add(at, range.end, false);
      append_parts(parts, behavior_, pieces);
    });
  }

  OrderedJson to_json() const override {
    return {{"type", "Split"},
            {"pattern", pattern_.to_json()},
            {"behavior", name_of(behavior_)},
            {"invert", invert_}};
  }

 private:
  TextPattern pattern_;
  Delimiters behavior_;
  bool invert_;
};

}  // namespace

PreTokenizerPointer make_split(const JsonValue& json) {
  json.check_keys({"type", "pattern", "behavior", "invert"});
  return std::make_shared<Split>(TextPattern::read(json.at("pattern")),
                                 read_delimiters(json.at("behavior")), json.at("invert").boolean());
}

}  // namespace heed::text
