// These tests cover the parts of times: leap years, the first and last day, offsets, daylight
// saving.
#include <gtest/gtest.h>

#include "tests/unit/stdlib/call.h"

namespace ordain::testing {
namespace {

TEST(Time, PartsInUtc) {
  Value at = time("2009-02-13T23:31:20.123456789Z");
  EXPECT_CASES({
      {"getFullYear", {at}, "2009"},
      {"getMonth", {at}, "1"},
      {"getDate", {at}, "13"},
      {"getDayOfMonth", {at}, "12"},
      {"getDayOfWeek", {at}, "5"},
      {"getDayOfYear", {at}, "43"},
      {"getHours", {at}, "23"},
      {"getMinutes", {at}, "31"},
      {"getSeconds", {at}, "20"},
      {"getMilliseconds", {at}, "123"},
  });
}

TEST(Time, EdgesOfTheCalendar) {
  EXPECT_CASES({
      {"getDayOfYear", {time("2024-12-31T00:00:00Z")}, "365"},
      {"getDayOfYear", {time("2023-12-31T00:00:00Z")}, "364"},
      {"getDate", {time("2000-02-29T12:00:00Z")}, "29"},
      {"getDayOfYear", {time("1900-03-01T00:00:00Z")}, "59"},
      {"getFullYear", {time("0001-01-01T00:00:00Z")}, "1"},
      {"getDayOfWeek", {time("0001-01-01T00:00:00Z")}, "1"},
      {"getFullYear", {time("0001-01-01T00:00:00Z"), S("-01:00")}, "0"},
      {"getFullYear", {time("9999-12-31T23:59:59Z"), S("+01:00")}, "10000"},
      {"getDayOfWeek", {time("9999-12-31T23:59:59Z")}, "5"},
      {"getSeconds", {time("1969-12-31T23:59:59.5Z")}, "59"},
      {"getMilliseconds", {time("1969-12-31T23:59:59.5Z")}, "500"},
  });
}

TEST(Time, Offsets) {
  Value at = time("2009-02-13T02:00:00Z");
  EXPECT_CASES({
      {"getDayOfMonth", {at, S("-02:30")}, "11"},
      {"getMinutes", {at, S("-02:30")}, "30"},
      {"getHours", {at, S("02:00")}, "4"},
      {"getHours", {at, S("+2:00")}, "4"},
      {"getHours", {at, S("-00:00")}, "2"},
      {"getHours", {at, S("UTC")}, "2"},
      {"getHours", {at, S("+24:00")}, "!invalid_argument"},
      {"getHours", {at, S("+01:60")}, "!invalid_argument"},
      {"getHours", {at, S("+01:0")}, "!invalid_argument"},
      {"getHours", {at, S(":00")}, "!invalid_argument"},
      {"getHours", {at, S("+-1:00")}, "!invalid_argument"},
      {"getHours", {at, S("")}, "!invalid_argument"},
  });
}

TEST(Time, Zones) {
  EXPECT_CASES({
      {"getDate", {time("2009-02-13T23:31:30Z"), S("Australia/Sydney")}, "14"},
      {"getMinutes", {time("2009-02-13T23:31:30Z"), S("Asia/Kathmandu")}, "16"},
      {"getDayOfMonth", {time("2009-02-13T02:00:00Z"), S("America/St_Johns")}, "11"},
      {"getHours", {time("2024-03-31T00:59:59Z"), S("Europe/Paris")}, "1"},
      {"getHours", {time("2024-03-31T01:00:00Z"), S("Europe/Paris")}, "3"},
      {"getHours", {time("2024-10-27T00:59:59Z"), S("Europe/Paris")}, "2"},
      {"getHours", {time("2024-10-27T01:00:00Z"), S("Europe/Paris")}, "2"},
      {"getHours", {time("2024-07-01T12:00:00Z"), S("US/Central")}, "7"},
      {"getHours", {time("2024-07-01T12:00:00Z"), S("Mars/Olympus")}, "!invalid_argument"},
      {"getHours", {time("2024-07-01T12:00:00Z"), S("../../etc/passwd")}, "!invalid_argument"},
      {"getHours", {time("2024-07-01T12:00:00Z"), I(1)}, "!no_such_overload"},
  });
}

TEST(Time, ZonesGoOnAfterTheListedYears) {
  EXPECT_CASES({
      {"getHours", {time("2060-07-01T12:00:00Z"), S("Europe/Paris")}, "14"},
      {"getHours", {time("2060-01-15T12:00:00Z"), S("Europe/Paris")}, "13"},
      {"getHours", {time("2096-07-01T12:00:00Z"), S("America/New_York")}, "8"},
      {"getHours", {time("9999-07-01T12:00:00Z"), S("Asia/Tokyo")}, "21"},
      {"getFullYear", {time("9999-12-31T23:59:59Z"), S("Asia/Tokyo")}, "10000"},
  });
}

TEST(Time, PreparedZones) {
  const Overload* row = standard_library().find_overload("timestamp_to_hours_with_tz");
  ASSERT_NE(row, nullptr);
  std::string error;
  EXPECT_EQ(row->preparation.prepare(S("Nowhere"), &error), nullptr);
  EXPECT_EQ(error, "unknown time zone");
  auto clock = row->preparation.prepare(S("Asia/Tokyo"), &error);
  ASSERT_NE(clock, nullptr);
  Eval eval;
  eval.arena = &values();
  Value args[2] = {time("2024-07-01T12:00:00Z"), S("Asia/Tokyo")};
  Value result;
  ASSERT_TRUE(row->preparation.call(eval, clock.get(), args, &result));
  EXPECT_EQ(result.i, 21);
}

// After the last change that the database lists, the rules then in force continue. The expected hours
// are those that Python's zoneinfo gives.
TEST(Time, ZonesAfterTheListedYears) {
  const auto hour = [](std::string_view at, std::string_view zone) { return call("getHours", {time(at), S(zone)}); };
  EXPECT_EQ(hour("2040-06-01T00:00:00Z", "Europe/Moscow"), "3") << "not the rule of 2012, a year of the same shape";
  EXPECT_EQ(hour("2040-01-10T12:00:00Z", "Europe/Istanbul"), "15");
  EXPECT_EQ(hour("2040-07-01T12:00:00Z", "America/Mexico_City"), "6");
  EXPECT_EQ(hour("2044-12-15T12:00:00Z", "America/Sao_Paulo"), "9");
  EXPECT_EQ(hour("2040-03-11T06:59:59Z", "America/New_York"), "1");
  EXPECT_EQ(hour("2040-03-11T07:00:00Z", "America/New_York"), "3");
  EXPECT_EQ(hour("2040-07-04T12:00:00Z", "America/New_York"), "8");
  EXPECT_EQ(hour("2052-02-29T12:00:00Z", "Australia/Sydney"), "23");
  EXPECT_EQ(hour("2052-07-01T12:00:00Z", "Australia/Sydney"), "22");
  EXPECT_EQ(hour("2068-03-25T00:59:59Z", "Europe/Paris"), "1");
  EXPECT_EQ(hour("2068-03-25T01:00:00Z", "Europe/Paris"), "3");
  EXPECT_EQ(hour("9999-07-01T12:00:00Z", "Europe/Berlin"), "14");
}

TEST(Time, Durations) {
  Value at = span("123.321456789s");
  EXPECT_CASES({
      {"getHours", {span("10000s")}, "2"},
      {"getMinutes", {span("3730s")}, "62"},
      {"getSeconds", {span("3730s")}, "3730"},
      {"getSeconds", {at}, "123"},
      {"getMilliseconds", {at}, "321"},
      {"getMilliseconds", {span("-1.5s")}, "-500"},
      {"getHours", {span("-5399s")}, "-1"},
      {"getHours", {at, S("UTC")}, "!no_such_overload"},
      {"getFullYear", {at}, "!no_such_overload"},
  });
}

}  // namespace
}  // namespace ordain::testing
