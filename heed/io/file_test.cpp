#include "heed/io/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <functional>
#include <thread>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/testing/test_files.h"
#include "heed/io/weights/safetensors.h"

namespace heed {
namespace {

using test::Folder;
using test::message_of;
using test::spill;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> lines_of(const std::filesystem::path& file,
                                  LineReaderOptions options = {}) {
  LineReader reader(file, options);
  std::vector<std::string> lines;
  for (std::string_view line; reader.next(line);) {
    lines.emplace_back(line);
    EXPECT_EQ(reader.line_number(), static_cast<int64_t>(lines.size()));
  }
  std::string_view line;
  EXPECT_FALSE(reader.next(line)) << "the end stays the end";
  return lines;
}

std::string gzip(std::string_view text) {
  z_stream stream = {};
  EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

// Text that does not shrink to nothing, so that a gzip file of it has many bytes to damage.
std::string many_lines(int count) {
  std::string text;
  uint32_t state = 1;
  for (int i = 0; i < count; ++i) {
    text += "line " + std::to_string(i) + " ";
    for (int j = 0; j < 5; ++j) text += std::to_string(state = state * 1664525 + 1013904223);
    text += '\n';
  }
  return text;
}

TEST(ReadFile, GivesTheBytes) {
  const Folder folder;
  const std::string content = many_lines(5000) + std::string("\0\xff\r\n", 4);
  spill(folder / "a", content);
  EXPECT_EQ(read_file(folder / "a", content.size()), content);
  spill(folder / "empty", "");
  EXPECT_EQ(read_file(folder / "empty", 0), "");
}

TEST(ReadFile, RefusesMoreThanTheCap) {
  const Folder folder;
  spill(folder / "a", "12345");
  EXPECT_EQ(read_file(folder / "a", 5), "12345");
  EXPECT_THAT(message_of<DataError>([&] { read_file(folder / "a", 4); }),
              HasSubstr("/a: holds more than the 4 bytes expected"));
  // The size of such a file is not known before.
  EXPECT_GT(read_file("/proc/self/status", 1 << 20).size(), 10u);
  EXPECT_THROW(read_file("/proc/self/status", 10), DataError);
  EXPECT_THROW(read_file("/dev/zero", 1 << 20), DataError);
}

TEST(ReadFile, SaysWhyThereIsNothingToRead) {
  const Folder folder;
  EXPECT_EQ(message_of<MissingInputError>([&] { read_file(folder / "none", 9); }),
            (folder / "none").string() + ": no such file; check the name and the folder");
  EXPECT_EQ(message_of<MissingInputError>([&] { read_file(folder.path(), 9); }),
            folder.path().string() + ": is a directory, expected a file");
  spill(folder / "file", "");
  EXPECT_THROW(read_file(folder / "file/below", 9), MissingInputError);
  EXPECT_THROW(read_file(std::string(5000, 'x'), 9), MissingInputError);
  if (::geteuid() != 0) {  // root may read everything
    ::chmod((folder / "file").c_str(), 0);
    EXPECT_THAT(message_of<MissingInputError>([&] { read_file(folder / "file", 9); }),
                HasSubstr("permission denied"));
  }
  EXPECT_THROW(read_file("-", 9), UsageError);
  EXPECT_THROW(read_file("/proc/self/mem", 9), IoError);  // opens, and fails at its first read
}

// Nobody writes into the pipe: to open it as a user's pipe is opened would wait for ever.
TEST(ReadFile, TakesNoPipeOrDeviceForAFileOfAModel) {
  const Folder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const std::filesystem::path& file :
       {folder / "pipe", std::filesystem::path("/dev/zero"), std::filesystem::path("/dev/null")}) {
    for (const auto& read : std::initializer_list<std::function<void()>>{
             [&] { read_file(file, 1 << 20, FileKind::kRegular); },
             [&] { read_json(file, {.max_bytes = 1 << 20}); },
             [&] { Safetensors::from_file(file); }}) {
      EXPECT_NE(message_of<DataError>(read).find("expected a regular file"), std::string::npos)
          << file;
    }
  }
}

TEST(LineReader, SplitsPlainText) {
  const Folder folder;
  const auto lines = [&](std::string_view content) {
    spill(folder / "a", content);
    return lines_of(folder / "a");
  };
  EXPECT_THAT(lines(""), ElementsAre());
  EXPECT_THAT(lines("\n"), ElementsAre(""));
  EXPECT_THAT(lines("a"), ElementsAre("a"));
  EXPECT_THAT(lines("a\n"), ElementsAre("a"));
  EXPECT_THAT(lines("a\nb"), ElementsAre("a", "b"));
  EXPECT_THAT(lines("a\r\nb\r\n\r\nc\r"), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(lines("a\rb\n\n"), ElementsAre("a\rb", ""));
  EXPECT_THAT(lines("\xef\xbb\xbf"
                    "a\n\xef\xbb\xbf"
                    "b"),
              ElementsAre("a",
                          "\xef\xbb\xbf"
                          "b"));
  EXPECT_THAT(lines("\xef\xbb\xbf"), ElementsAre(""));
  EXPECT_THAT(lines("\xef\xbb"), ElementsAre("\xef\xbb"));
  EXPECT_THAT(lines(std::string("a\0b\n\xff", 5)), ElementsAre(std::string("a\0b", 3), "\xff"));
  EXPECT_THAT(lines("\x1f"), ElementsAre("\x1f"));
  EXPECT_THAT(lines("\x1fzip"), ElementsAre("\x1fzip"));
}

TEST(LineReader, GivesEveryLineOfALongFilePlainOrGzip) {
  const Folder folder;
  const std::string text = many_lines(20000);
  std::vector<std::string> expected;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    expected.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  spill(folder / "plain.gz", text);  // the name says nothing
  spill(folder / "packed.txt", gzip(text));
  EXPECT_EQ(lines_of(folder / "plain.gz"), expected);
  EXPECT_EQ(lines_of(folder / "packed.txt"), expected);
}

TEST(LineReader, ReadsGzipMembersAndPadding) {
  const Folder folder;
  const auto lines = [&](std::string_view content) {
    spill(folder / "a.gz", content);
    return lines_of(folder / "a.gz");
  };
  EXPECT_THAT(lines(gzip("")), ElementsAre());
  EXPECT_THAT(lines(gzip("\xef\xbb\xbf"
                         "a\r\nb")),
              ElementsAre("a", "b"));
  EXPECT_THAT(lines(gzip("a\nb") + gzip("") + gzip("c\n")), ElementsAre("a", "bc"));
  EXPECT_THAT(lines(gzip("a\n") + std::string(1000, '\0')), ElementsAre("a"));
}

TEST(LineReader, RefusesOtherDataAfterGzip) {
  const Folder folder;
  for (const std::string& tail :
       {std::string("x"), std::string("\0x", 2), std::string("\0", 1) + gzip("b")}) {
    spill(folder / "a.gz", gzip("a\n") + tail);
    EXPECT_EQ(message_of<DataError>([&] { lines_of(folder / "a.gz"); }),
              (folder / "a.gz").string() + ":2: other data follows the end of the gzip data");
  }
}

TEST(LineReader, NoticesEveryTruncationOfGzip) {
  const Folder folder;
  const std::string whole = gzip(many_lines(20));
  for (size_t size = 2; size < whole.size(); ++size) {
    spill(folder / "a.gz", std::string_view(whole).substr(0, size));
    EXPECT_THAT(message_of<DataError>([&] { lines_of(folder / "a.gz"); }),
                HasSubstr("the gzip data ends too early"))
        << size;
  }
}

TEST(LineReader, NoticesEveryDamagedByteOfGzip) {
  const Folder folder;
  const std::string text = many_lines(20);
  const std::string whole = gzip(text);
  std::vector<std::string> expected;
  spill(folder / "a.gz", whole);
  expected = lines_of(folder / "a.gz");
  int refused = 0;
  for (size_t at = 2; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    spill(folder / "a.gz", damaged);
    try {
      // Bytes 4 to 9 are the time, flags for the curious and the system: nothing depends on them.
      EXPECT_EQ(lines_of(folder / "a.gz"), expected) << at;
      EXPECT_TRUE(at >= 4 && at <= 9) << at;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("a.gz:"));
      ++refused;
    }
  }
  EXPECT_GE(refused, static_cast<int>(whole.size()) - 2 - 6);
}

TEST(LineReader, NamesTheLineAtWhichGzipIsDamaged) {
  const Folder folder;
  const std::string text = many_lines(20000);
  std::string whole = gzip(text);
  whole.resize(whole.size() / 2);
  spill(folder / "a.gz", whole);
  LineReader reader(folder / "a.gz");
  int64_t read = 0;
  const std::string message = message_of<DataError>([&] {
    for (std::string_view line; reader.next(line);) {
      EXPECT_TRUE(line.starts_with("line " + std::to_string(read) + " ")) << line;
      ++read;
    }
  });
  EXPECT_GT(read, 5000);
  EXPECT_THAT(message,
              HasSubstr("a.gz:" + std::to_string(read + 1) + ": the gzip data ends too early"));
  std::string_view line;
  EXPECT_THROW(reader.next(line), DataError) << "and says so again";
}

TEST(LineReader, CapsTheLengthOfALine) {
  const Folder folder;
  const auto read = [&](const std::string& content) {
    spill(folder / "a", content);
    return lines_of(folder / "a", {.max_line_bytes = 10});
  };
  EXPECT_THAT(read("a\n0123456789\r\nb"), ElementsAre("a", "0123456789", "b"));
  EXPECT_THAT(read("\xef\xbb\xbf"
                   "0123456789"),
              ElementsAre("0123456789"));
  for (const std::string& tail : {std::string("\n"), std::string(), std::string(100000, 'x')}) {
    EXPECT_EQ(message_of<DataError>([&] { read("a\n0123456789x" + tail); }),
              (folder / "a").string() +
                  ":2: the line is longer than 10 bytes; is this a text file with one example a "
                  "line?");
  }
  // A few bytes of gzip that unpack to a line without end take no more memory than the cap.
  spill(folder / "bomb.gz", gzip(std::string(50 << 20, 'x')));
  EXPECT_LT(std::filesystem::file_size(folder / "bomb.gz"), 100000u);
  EXPECT_THROW(lines_of(folder / "bomb.gz", {.max_line_bytes = 1 << 16}), DataError);
  LineReader infinite("/dev/zero", {.max_line_bytes = 1 << 16});
  std::string_view line;
  EXPECT_THROW(infinite.next(line), DataError);
}

TEST(LineReader, GoesOnBehindALineThatIsTooLong) {
  const Folder folder;
  const std::string wide(size_t{1} << 18, 'x');  // longer than what is read at once
  const std::vector<std::pair<std::string, std::vector<std::string>>> ends = {
      {"", {}}, {"\n", {}}, {"\nlast", {"last"}}, {"\n\nlast\n", {"", "last"}}};
  for (const std::string& bad : {std::string(11, 'x'), wide}) {
    for (const auto& [end, expected] : ends) {
      spill(folder / "a", "first\n" + bad + end);
      LineReader reader(folder / "a", {.max_line_bytes = 10});
      std::vector<std::string> got;
      std::string_view line;
      EXPECT_TRUE(reader.next(line));
      EXPECT_THROW(reader.next(line), DataError);
      EXPECT_EQ(reader.line_number(), 2);
      while (reader.next(line)) got.emplace_back(line);
      EXPECT_EQ(got, expected) << bad.size() << end;
      EXPECT_EQ(reader.line_number(), 2 + std::ssize(expected));
    }
  }
}

TEST(LineReader, SaysWhyThereIsNothingToRead) {
  const Folder folder;
  EXPECT_THROW(LineReader(folder / "none"), MissingInputError);
  EXPECT_THROW(LineReader(folder.path()), MissingInputError);
  LineReader broken("/proc/self/mem");
  std::string_view line;
  EXPECT_THROW(broken.next(line), IoError);
}

// A reader at the other end of a pipe gets its answer before the writer is done.
TEST(LineReader, HandsOutALineOfAPipeAtOnce) {
  const Folder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const int keep = ::open((folder / "pipe").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(keep, 0);
  LineReader reader(folder / "pipe");
  for (const std::string text : {"one", "two", "three"}) {
    ASSERT_EQ(::write(keep, (text + "\n").data(), text.size() + 1),
              static_cast<ssize_t>(text.size() + 1));
    std::string_view line;
    ASSERT_TRUE(reader.next(line));
    EXPECT_EQ(line, text);
  }
  ::close(keep);
}

TEST(LineReader, DashIsStandardInput) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int before = ::dup(STDIN_FILENO);
  ASSERT_EQ(::dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
  const std::string packed = gzip("a\nb\n");
  std::thread writer([&] {
    for (const char c : packed) {  // the two bytes that tell gzip may come one at a time
      ASSERT_EQ(::write(ends[1], &c, 1), 1);
    }
    ::close(ends[1]);
  });
  {
    LineReader reader("-");
    std::string_view line;
    EXPECT_TRUE(reader.next(line));
    EXPECT_EQ(line, "a");
    EXPECT_EQ(reader.where(), "standard input:1");
    EXPECT_TRUE(reader.next(line));
    EXPECT_FALSE(reader.next(line));
  }
  writer.join();
  EXPECT_NE(::fcntl(STDIN_FILENO, F_GETFD), -1) << "standard input stays open";
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  ::close(ends[0]);
}

TEST(LineReader, ShowsTheBeginningWithoutMoving) {
  const Folder folder;
  spill(folder / "a.gz", gzip("\xEF\xBB\xBFone\ntwo\n"));
  LineReader reader(folder / "a.gz");
  EXPECT_EQ(reader.peek(100), "one\ntwo\n");
  EXPECT_EQ(reader.peek(6), "one");  // the mark is among the 6
  EXPECT_TRUE(reader.is_whole());
  std::string_view line;
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line, "one");
  EXPECT_EQ(reader.peek(100), "two\n");
}

TEST(LineReader, ShowsTheFirstLineOfAPipeAtOnce) {
  const Folder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const int keep = ::open((folder / "pipe").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(keep, 0);
  LineReader reader(folder / "pipe");
  ASSERT_EQ(::write(keep, "\none\ntwo", 8), 8);
  EXPECT_EQ(reader.peek(1 << 16, LineReader::Wait::kLine), "\none\n");
  EXPECT_FALSE(reader.is_whole());
  ::close(keep);
}

TEST(LineReader, CanBeMoved) {
  const Folder folder;
  spill(folder / "a", "1\n2\n3\n");
  LineReader first(folder / "a");
  std::string_view line;
  first.next(line);
  LineReader second = std::move(first);
  EXPECT_TRUE(second.next(line));
  EXPECT_EQ(line, "2");
  EXPECT_EQ(second.line_number(), 2);
}

}  // namespace
}  // namespace heed
