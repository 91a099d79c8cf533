#include "heed/cli/tasks/picture_input.h"

namespace heed::cli {

data::ImageData PictureInput::read(const std::string& file, data::ImageReadOptions options,
                                   AnswerWriter& answers) const {
  options.has_labels = false;
  options.keep_unusable = true;
  data::ImageData data =
      data::read_images({file}, reading.completed(options, table, rows), answers.report());
  say_pictures_left_out(data);
  return data;
}

void answer_pictures(const data::ImageData& data, AnswerWriter& answers,
                     const std::function<void(int64_t)>& answer) {
  auto unusable = data.unusable.begin();
  for (int64_t i = 0; i <= data.count(); ++i) {
    for (; unusable != data.unusable.end() && unusable->place == i; ++unusable) {
      answers.fail(unusable->where, {{"image", unusable->where}}, unusable->why);
    }
    if (i < data.count()) answer(i);
  }
}

}  // namespace heed::cli
