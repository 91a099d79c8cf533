// data_kind.h: pictures, sounds, series, graphs and interactions, sound and broken on purpose.
#include <algorithm>
#include <functional>

#include "heed/audio/testing/tone.h"
#include "heed/data/images/image.h"
#include "heed/data/images/image_sheet.h"
#include "heed/doctor/testing/kinds.h"

namespace heed::doctor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// --- pictures

std::string picture(int64_t shade, int64_t height = 16, int64_t width = 16, bool grey = false,
                    bool blank = false) {
  data::Image image{.height = height, .width = width, .channels = 3, .pixels = {}};
  for (int64_t i = 0; i < height * width; ++i) {
    for (int64_t c = 0; c < 3; ++c) {
      const int64_t value = blank ? shade : shade + i * (grey ? 3 : 3 + c);
      image.pixels.push_back(static_cast<uint8_t>(value % 256));
    }
  }
  return data::png_bytes(image);
}

class MediaKinds : public DataKinds {};

TEST_F(MediaKinds, OfPictures) {
  for (int i = 0; i < 24; ++i) {
    write("set/" + std::string(i % 2 == 0 ? "cat/" : "dog/") + std::to_string(i) + ".png",
          picture(i));
  }
  write("set/.DS_Store", "no picture");  // nor does it hide that the others are
  const auto after = [&](const std::string& name, const std::string& bytes) {
    const auto file = write("set/cat/" + name, bytes);
    const Report report = examine("auto", folder_ / "set");
    std::filesystem::remove(file);
    return report;
  };
  const Report sound = examine("auto", folder_ / "set");
  EXPECT_THAT(found(sound), IsEmpty()) << sound.text();
  EXPECT_EQ(sound.numbers["samples"]["train"], 24);
  EXPECT_THAT(found(after("x.png", picture(99).substr(0, 60))),
              ElementsAre("stop unreadable pictures"));
  EXPECT_THAT(found(after("x.png", picture(99, 16, 40))), ElementsAre("warning sizes"));
  EXPECT_THAT(found(after("x.png", picture(99, 16, 16, true))), ElementsAre("warning colours"));
  EXPECT_THAT(found(after("x.png", picture(99, 16, 16, true, true))),
              ElementsAre("warning blank pictures", "warning colours"));
  EXPECT_THAT(found(after("x.png", picture(2))), ElementsAre("warning duplicates"));
  EXPECT_THAT(found(after("x.png", picture(1))),
              ElementsAre("warning duplicates", "warning one picture under two labels"));
  write("few/cat/1.png", picture(1));
  EXPECT_THAT(found(examine("auto", folder_ / "set", folder_ / "few")),
              ElementsAre("warning one picture under two labels", "stop leaks between splits",
                          "warning class balance"));
}

// --- sounds

std::string noise(uint64_t seed, float loudest, int64_t samples = 4000, int64_t rate = 16'000) {
  Dice dice(seed);
  audio::Sound sound{.sampling_rate = rate, .samples = {}};
  for (int64_t i = 0; i < samples; ++i) {
    const float value = static_cast<float>(dice.below(2001) - 1000) / 1000;
    sound.samples.push_back(std::clamp(loudest * value, -1.0F, 1.0F));
  }
  return audio::test::wav(sound);
}

TEST_F(MediaKinds, OfSounds) {
  for (int i = 0; i < 24; ++i) {
    write("set/" + std::string(i % 2 == 0 ? "no/" : "yes/") + std::to_string(i) + ".wav",
          noise(static_cast<uint64_t>(i), 0.5F));
  }
  const auto after = [&](const std::string& bytes) {
    const auto file = write("set/yes/x.wav", bytes);
    const Report report = examine("auto", folder_ / "set");
    std::filesystem::remove(file);
    return report;
  };
  const Report sound = examine("auto", folder_ / "set");
  EXPECT_THAT(found(sound), IsEmpty()) << sound.text();
  EXPECT_EQ(sound.numbers["sampling_rates"]["16000"], 24);
  EXPECT_THAT(found(after("no sound at all")), ElementsAre("stop unreadable sounds"));
  EXPECT_THAT(found(after(noise(77, 1e-4F))), ElementsAre("warning silence"));
  EXPECT_THAT(found(after(noise(77, 1.5F))), ElementsAre("warning clipping"));
  EXPECT_THAT(found(after(noise(77, 0.5F, 800))), ElementsAre("warning durations"));
  EXPECT_THAT(found(after(noise(77, 0.5F, 8000 * 31, 8000))),
              ElementsAre("warning durations", "note sampling rates"));
  EXPECT_THAT(found(after(noise(3, 0.5F))), ElementsAre("warning duplicates"));
  EXPECT_THAT(found(after(noise(2, 0.5F))),
              ElementsAre("warning duplicates", "warning one sound under two labels"));
  // The same with what is said.
  write("said.tsv", "path\tsentence\nset/no/0.wav\tone two\nset/yes/1.wav\tthree\n");
  EXPECT_THAT(found(examine("asr", folder_ / "said.tsv")), IsEmpty());
}

// --- series

TEST_F(MediaKinds, OfSeries) {
  const auto day = [](int number) {
    return "2016-" + std::string(number < 30 ? "04-" : "05-") + (number % 30 < 9 ? "0" : "") +
           std::to_string(number % 30 + 1);
  };
  const auto days = [&](int first, int last, const std::function<std::string(int)>& cells) {
    std::string lines = "date,heat,rain\n";
    for (int i = first; i < last; ++i) {
      const std::string row = cells(i);
      if (!row.empty()) lines += day(i) + ',' + row + '\n';
    }
    return lines;
  };
  const auto usual = [](int i) { return std::to_string(i * 7 % 11) + "," + std::to_string(i); };
  const auto examined = [&](const std::function<std::string(int)>& cells, int test_from = 40) {
    return examine("forecast", write("train.csv", days(0, 40, cells)),
                   write("test.csv", days(test_from, 60, usual)));
  };
  EXPECT_THAT(found(examined(usual)), IsEmpty()) << examined(usual).text();
  EXPECT_THAT(found(examined([&](int i) { return i == 5 ? ",3" : usual(i); })),
              ElementsAre("note missing values"));
  EXPECT_THAT(found(examined([&](int i) { return i == 5 ? "" : usual(i); })),
              Contains("warning missing times"));
  EXPECT_THAT(found(examined([](int i) { return std::to_string(i) + ",4"; })),
              ElementsAre("warning constant series"));
  EXPECT_THAT(found(examined([](int i) { return std::to_string(i) + "," + std::to_string(i); })),
              ElementsAre("warning equal series"));
  EXPECT_THAT(found(examined(usual, 39)), ElementsAre("stop leaks between splits"));
  EXPECT_THAT(found(examined([&](int i) { return i == 5 ? "inf,3" : usual(i); })),
              Contains("stop rows"));
}

// --- graphs

TEST_F(MediaKinds, OfGraphs) {
  std::string nodes = "node\tlabel\tsplit\twords\n", edges = "source\ttarget\n";
  for (int i = 0; i < 60; ++i) {
    nodes += "n" + std::to_string(i) + (i % 2 == 0 ? "\tx\t" : "\ty\t") +
             (i < 40 ? "train" : "test") + "\tword" + std::to_string(i) + " more\n";
    edges += "n" + std::to_string(i) + "\tn" + std::to_string((i + 7) % 60) + "\n";
  }
  const auto examined = [&](const std::string& more_nodes, const std::string& more_edges) {
    return examine("auto", write("nodes.tsv", nodes + more_nodes), {}, "",
                   write("edges.tsv", edges + more_edges));
  };
  const Report sound = examined("", "");
  EXPECT_THAT(found(sound), IsEmpty()) << sound.text();
  EXPECT_EQ(sound.numbers["samples"]["test"], 20);
  EXPECT_THAT(found(examined("", "n1\tnobody\n")), ElementsAre("stop rows"));
  EXPECT_THAT(found(examined("", "n1\tn1\n")), ElementsAre("note edges"));
  EXPECT_THAT(found(examined("lone\tx\ttrain\tquite alone\n", "")),
              ElementsAre("warning isolated nodes"));
  EXPECT_THAT(found(examined("twin\tx\ttest\tword0 more\n", "twin\tn3\n")),
              ElementsAre("warning leaks between splits"));
  EXPECT_THAT(found(examined("odd\tz\ttrain\tof its own\n", "odd\tn3\n")),
              Contains("warning class balance"));
}

// --- interactions

TEST_F(MediaKinds, OfInteractions) {
  std::string rows = "user\titem\ttime\n";
  for (int user = 0; user < 40; ++user) {
    for (int k = 0; k < 5; ++k) {
      rows += "u" + std::to_string(user) + "\ti" + std::to_string((user + 3 * k) % 20) + "\t" +
              std::to_string(1'000'000 + 100 * user + k) + "\n";
    }
  }
  const auto examined = [&](const std::string& all) {
    return examine("auto", write("taken.tsv", all));
  };
  const Report sound = examined(rows);
  EXPECT_THAT(found(sound), IsEmpty()) << sound.text();
  EXPECT_EQ(sound.numbers["samples"]["train"], 200);
  EXPECT_THAT(found(examined(rows + "lone\ti3\t1000000\n")),
              ElementsAre("note users with one event"));
  EXPECT_THAT(found(examined(rows + "u1\trare\t1000001\n")), ElementsAre("note items taken once"));
  EXPECT_THAT(found(examined(rows + "u1\ti3\t2000001\nu1\ti3\t2000002\n")),
              ElementsAre("note duplicates"));
  EXPECT_THAT(found(examined(rows + "u1\ti3\tyesterday\n")), Contains("stop rows"));
  const Report texts = examine("auto", write("reviews.csv",
                                             "user_id,product_id,text,label\n"
                                             "u1,p1,a good one,yes\nu2,p1,a bad one,no\n"));
  EXPECT_TRUE(texts.numbers.contains("classes")) << texts.json().dump();
  std::string timeless = "user\titem\n";
  for (int user = 0; user < 40; ++user) {
    for (int k = 0; k < 5; ++k) {
      timeless += "u" + std::to_string(user) + "\ti" + std::to_string((user + 3 * k) % 20) + "\n";
    }
  }
  EXPECT_THAT(found(examined(timeless)), ElementsAre("note times"));
}

}  // namespace
}  // namespace heed::doctor
