// Times as they stand in a table: "2016-07-01 13:00:00", "2016-07", "17"; and their even spacing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heed::data {

// How the times of a column are written, told by one of them: all must be written alike.
//   17                       a whole number
//   2016, but with a month   2016-07
//   a day                    2016-07-01 or 2016/07/01
//   a time of a day          2016-07-01 13:00[:00], with T or a space between, and with or
//                            without a Z at its end
// A time is a number: of months since year 0, or of seconds since 1970 (UTC), or itself.
class TimeFormat {
 public:
  // None where `cell` is no time.
  static std::optional<TimeFormat> of(std::string_view cell);

  // None where `cell` is not written in this way or names no day that there is.
  std::optional<int64_t> parse(std::string_view cell) const;
  std::string print(int64_t time) const;

  // Whether a time is a number of seconds, or of months.
  bool in_seconds() const { return kind_ >= Kind::kDay; }
  bool in_months() const { return kind_ == Kind::kMonth; }

  // "a day as in 2016-07-01".
  std::string described() const;

 private:
  enum class Kind : uint8_t { kNumber, kMonth, kDay, kMinute, kSecond };

  std::optional<int64_t> parse_date(std::string_view cell) const;

  Kind kind_ = Kind::kNumber;
  char between_date_ = '-';
  char before_time_ = ' ';
  bool utc_ = false;  // a Z at the end
};

// The distance from one row to the next: months where the calendar counts, else what a time counts.
struct TimeStep {
  bool months = false;  // `count` months of a column of days: 2016-01-01, 2016-02-01
  int64_t count = 1;

  // The time `steps` after `time`.
  int64_t after(int64_t time, int64_t steps) const;
  // How many steps lie between; none where `to` does not stand on the grid that `from` begins.
  std::optional<int64_t> between(int64_t from, int64_t to) const;
};

// The commonest distance of times in order. `times` holds two or more, each later than the one
// before it.
TimeStep step_of(const std::vector<int64_t>& times, const TimeFormat& format);

}  // namespace heed::data
