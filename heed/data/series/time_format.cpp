#include "heed/data/series/time_format.h"

#include <chrono>
#include <map>

#include "heed/base/error.h"

namespace heed::data {
namespace {

constexpr int64_t kDay = 86'400;

// The digits text[at, at + count) as a number; none where they are no digits.
std::optional<int> digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return {};
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int64_t> digits_of_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 15) return {};
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

std::chrono::year_month_day date_of(int64_t days) {
  return std::chrono::sys_days(std::chrono::days(days));
}

int64_t days_of(const std::chrono::year_month_day& date) {
  return std::chrono::sys_days(date).time_since_epoch().count();
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// With zeros in front: 7 -> "07".
std::string padded(int64_t number, size_t width) {
  const std::string text = std::to_string(number);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

// `time`, in seconds, `months` later; a day that the month lacks becomes its last.
int64_t months_after(int64_t time, int64_t months) {
  const int64_t days = floor_div(time, kDay);
  std::chrono::year_month_day date = date_of(days) + std::chrono::months(months);
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
  return days_of(date) * kDay + (time - days * kDay);
}

// Whole months from one time to another; none where the day or the time of day differs.
std::optional<int64_t> months_between(int64_t from, int64_t to) {
  const auto a = date_of(floor_div(from, kDay));
  const auto b = date_of(floor_div(to, kDay));
  const int64_t months =
      12 * (static_cast<int>(b.year()) - static_cast<int>(a.year())) +
      (static_cast<int64_t>(static_cast<unsigned>(b.month())) - static_cast<unsigned>(a.month()));
  if (months_after(from, months) != to) return {};
  return months;
}

}  // namespace

std::optional<TimeFormat> TimeFormat::of(std::string_view cell) {
  TimeFormat format;
  if (cell.ends_with('Z')) {
    format.utc_ = true;
    cell.remove_suffix(1);
  }
  if (cell.size() >= 7 && (cell[4] == '-' || cell[4] == '/')) {
    format.between_date_ = cell[4];
    format.kind_ = cell.size() == 7    ? Kind::kMonth
                   : cell.size() == 10 ? Kind::kDay
                   : cell.size() == 16 ? Kind::kMinute
                                       : Kind::kSecond;
    if (cell.size() > 10) format.before_time_ = cell[10];
  }
  const std::string whole = std::string(cell) + (format.utc_ ? "Z" : "");
  if (!format.parse(whole)) return {};
  return format;
}

std::optional<int64_t> TimeFormat::parse(std::string_view cell) const {
  if (utc_) {
    if (!cell.ends_with('Z')) return {};
    cell.remove_suffix(1);
  }
  if (kind_ == Kind::kNumber) return utc_ ? std::nullopt : digits_of_time(cell);
  return parse_date(cell);
}

std::optional<int64_t> TimeFormat::parse_date(std::string_view cell) const {
  const auto year = digits(cell, 0, 4);
  const auto month = digits(cell, 5, 2);
  if (!year || !month || cell[4] != between_date_ || *month < 1 || *month > 12) return {};
  if (kind_ == Kind::kMonth) {
    if (cell.size() != 7) return {};
    return int64_t{12} * *year + *month - 1;
  }
  const auto day = digits(cell, 8, 2);
  if (!day || cell[7] != between_date_) return {};
  const std::chrono::year_month_day date = std::chrono::year(*year) /
                                           std::chrono::month(static_cast<unsigned>(*month)) /
                                           std::chrono::day(static_cast<unsigned>(*day));
  if (!date.ok()) return {};
  int64_t seconds = days_of(date) * kDay;
  if (kind_ == Kind::kDay) return cell.size() == 10 ? std::optional(seconds) : std::nullopt;
  const auto hour = digits(cell, 11, 2);
  const auto minute = digits(cell, 14, 2);
  if (!hour || !minute || (before_time_ != ' ' && before_time_ != 'T') ||
      cell[10] != before_time_ || cell[13] != ':' || *hour > 23 || *minute > 59) {
    return {};
  }
  seconds += *hour * 3600 + *minute * 60;
  if (kind_ == Kind::kMinute) return cell.size() == 16 ? std::optional(seconds) : std::nullopt;
  const auto second = digits(cell, 17, 2);
  if (!second || cell.size() != 19 || cell[16] != ':' || *second > 59) return {};
  return seconds + *second;
}

std::string TimeFormat::print(int64_t time) const {
  if (kind_ == Kind::kNumber) return std::to_string(time);
  if (kind_ == Kind::kMonth) {
    const int64_t year = floor_div(time, 12);
    return padded(year, 4) + between_date_ + padded(time - 12 * year + 1, 2);
  }
  const int64_t days = floor_div(time, kDay);
  const auto date = date_of(days);
  std::string text = padded(static_cast<int>(date.year()), 4) + between_date_ +
                     padded(static_cast<unsigned>(date.month()), 2) + between_date_ +
                     padded(static_cast<unsigned>(date.day()), 2);
  if (kind_ != Kind::kDay) {
    const int64_t seconds = time - days * kDay;
    text += before_time_ + padded(seconds / 3600, 2) + ":" + padded(seconds / 60 % 60, 2);
    if (kind_ == Kind::kSecond) text += ":" + padded(seconds % 60, 2);
  }
  return utc_ ? text + "Z" : text;
}

std::string TimeFormat::described() const {
  switch (kind_) {
    case Kind::kNumber:
      return "a whole number";
    case Kind::kMonth:
      return text_of("a month as in 2016", between_date_, "07");
    case Kind::kDay:
      return text_of("a day as in 2016", between_date_, "07", between_date_, "31");
    default:
      return text_of("a time as in ", print(1'469'966'400));
  }
}

int64_t TimeStep::after(int64_t time, int64_t steps) const {
  return months ? months_after(time, steps * count) : time + steps * count;
}

std::optional<int64_t> TimeStep::between(int64_t from, int64_t to) const {
  const auto distance = months ? months_between(from, to) : std::optional(to - from);
  if (!distance || *distance % count != 0) return {};
  return *distance / count;
}

TimeStep step_of(const std::vector<int64_t>& times, const TimeFormat& format) {
  std::map<int64_t, int64_t> seconds;
  std::map<int64_t, int64_t> months;
  for (size_t i = 1; i < times.size(); ++i) {
    ++seconds[times[i] - times[i - 1]];
    const auto between = months_between(times[i - 1], times[i]);
    if (between && *between > 0) ++months[*between];
  }
  const auto commonest = [](const std::map<int64_t, int64_t>& counts) {
    std::pair<int64_t, int64_t> best{1, 0};
    for (const auto& [step, count] : counts) {
      if (count > best.second) best = {step, count};
    }
    return best;
  };
  const auto [second_step, second_count] = commonest(seconds);
  const auto [month_step, month_count] = commonest(months);
  if (format.in_seconds() && month_count > second_count) {
    return {.months = true, .count = month_step};
  }
  return {.months = false, .count = second_step};
}

}  // namespace heed::data
