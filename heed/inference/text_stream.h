// Token ids to text as they come, for a terminal or a caller that will not wait for the end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/text/tokenizer.h"

namespace heed::inference {

// Holds back what is not certain yet: the first bytes of a character, and text that may be the
// beginning of a stop string. Everything that was returned, joined, is the text of the ids, cut
// before the first stop string.
class TextStream {
 public:
  // Throws UsageError where a stop string is empty.
  explicit TextStream(std::shared_ptr<const text::Tokenizer> tokenizer,
                      std::vector<std::string> stops = {});

  // The text that has become certain with this token.
  std::string push(int64_t id);

  // Whether a stop string was met; nothing more is returned then.
  bool stopped() const { return stopped_; }

  // What was held back.
  std::string finish();

 private:
  std::string release(bool at_end);

  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::vector<std::string> stops_;
  std::vector<int32_t> ids_;
  size_t context_ = 0;  // the first id that decides how the next ones are spelled
  size_t read_ = 0;     // ids whose text is in pending_ or was returned
  std::string pending_;
  bool stopped_ = false;
};

}  // namespace heed::inference
