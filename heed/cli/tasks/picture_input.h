// Pictures that a trained model is asked about.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "heed/cli/options/image_sets.h"
#include "heed/cli/writing/answer_writer.h"

namespace heed::cli {

struct PictureInput {
  ImageReading reading = {};
  TimedRows rows = {};
  ReadingOptions table = {};

  void check() const { table.parsed(); }

  // Pictures without classes; `options`: what they are brought to. Of those that cannot be used,
  // `answers` gets the report.
  data::ImageData read(const std::string& file, data::ImageReadOptions options,
                       AnswerWriter& answers) const;
};

// Calls answer(i) for each picture in order, and fails those that cannot be used at their places.
void answer_pictures(const data::ImageData& data, AnswerWriter& answers,
                     const std::function<void(int64_t)>& answer);

}  // namespace heed::cli
