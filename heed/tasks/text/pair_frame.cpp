#include "heed/tasks/text/pair_frame.h"

namespace heed::tasks {

PairFrame frame_of(const text::Tokenizer& tokenizer) {
  const text::Encoding pair = tokenizer.encode_pair("a", "a");
  PairFrame frame;
  std::vector<int32_t>* around = &frame.before;
  for (size_t i = 0; i < pair.ids.size(); ++i) {
    const int8_t text = pair.sequence_ids[i];
    if (text == text::Encoding::kAround) {
      around->push_back(pair.ids[i]);
    } else {
      around = text == 0 ? &frame.between : &frame.behind;
    }
  }
  return frame;
}

void add_special(text::Encoding& encoding, const std::vector<int32_t>& ids, bool in_front) {
  const std::vector<text::Span> nowhere(ids.size());
  encoding.ids.insert(in_front ? encoding.ids.begin() : encoding.ids.end(), ids.begin(), ids.end());
  encoding.offsets.insert(in_front ? encoding.offsets.begin() : encoding.offsets.end(),
                          nowhere.begin(), nowhere.end());
}

}  // namespace heed::tasks
