#include "heed/training/run/event_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/io/testing/faulty_calls.h"
#include "heed/io/testing/test_files.h"

namespace heed::training {
namespace {

TEST(EventFile, TheChecksumIsThatOfTheStandard) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);    // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);  // RFC 3720, B.4
}

TEST(EventFile, ARecordHasItsFrame) {
  const std::string record = tf_record("heed");
  ASSERT_EQ(record.size(), 20U);
  EXPECT_EQ(record.substr(0, 8), std::string("\x04\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, 4), "heed");
}

TEST(EventFile, EachStartIsAFileOfItsOwn) {
  const test::Folder folder;
  for (int i = 0; i < 3; ++i) {
    EventFile file(folder.path(), i, real_system_calls());
    file.scalar("loss", i, 0.5);
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_TRUE(entry.path().filename().string().starts_with("events.out.tfevents."));
    ++files;
  }
  EXPECT_EQ(files, 3);
}

TEST(EventFile, EveryFailureIsAnError) {
  const test::Folder folder;
  int failures = 0;
  for (int at = 0; at < 4; ++at) {
    test::FaultyCalls calls({.at = at, .error = ENOSPC});
    try {
      EventFile file(folder.path(), 0, calls);
      file.scalar("loss", 1, 0.5);
    } catch (const IoError& error) {
      EXPECT_NE(std::string(error.what()).find("events.out"), std::string::npos);
      ++failures;
    }
  }
  EXPECT_EQ(failures, 4);
}

}  // namespace
}  // namespace heed::training
