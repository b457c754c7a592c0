// These tests cover timestamps and durations as text: what is read, what is refused, and that
// writing and reading agree.
#include "ordain/time_text.h"

#include <gtest/gtest.h>

namespace ordain {
namespace {

std::string read_timestamp(std::string_view text) {
  TimeParts parts;
  return parse_timestamp(text, &parts) ? format_timestamp(parts.seconds, parts.nanos) : "refused";
}

std::string read_duration(std::string_view text) {
  TimeParts parts;
  return parse_duration(text, &parts) ? format_duration(parts.seconds, parts.nanos) : "refused";
}

TEST(TimeText, TimestampsAreReadAndWritten) {
  for (const char* text :
       {"2009-02-13T23:31:30Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2024-02-29T12:00:00Z",
        "9999-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.001Z", "2000-01-01T00:00:00.000001Z"}) {
    EXPECT_EQ(read_timestamp(text), text);
  }
  EXPECT_EQ(read_timestamp("2009-02-13T23:31:30.5Z"), "2009-02-13T23:31:30.500Z");
  EXPECT_EQ(read_timestamp("2009-02-13T23:31:30.1234Z"), "2009-02-13T23:31:30.123400Z");
  EXPECT_EQ(read_timestamp("2009-02-14T00:31:30+01:00"), "2009-02-13T23:31:30Z");
  EXPECT_EQ(read_timestamp("2009-02-13T18:01:30-05:30"), "2009-02-13T23:31:30Z");
  EXPECT_EQ(read_timestamp("2009-02-13t23:31:30z"), "2009-02-13T23:31:30Z");
  EXPECT_EQ(read_timestamp("2009-02-13T23:31:30.1234567899Z"), "2009-02-13T23:31:30.123456789Z");
  TimeParts parts;
  ASSERT_TRUE(parse_timestamp("2009-02-13T23:31:30Z", &parts));
  EXPECT_EQ(parts.seconds, 1234567890);
  ASSERT_TRUE(parse_timestamp("1969-12-31T23:59:59.5Z", &parts));
  EXPECT_EQ(parts.seconds, -1);
  EXPECT_EQ(parts.nanos, 500000000);
}

TEST(TimeText, WhatIsNoTimestampIsRefused) {
  for (const char* text : {"",
                           "yesterday",
                           "2009-02-13",
                           "2009-02-13T23:31:30",
                           "2009-02-13 23:31:30Z",
                           "2009-2-13T23:31:30Z",
                           "2009-02-30T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "2009-13-01T00:00:00Z",
                           "2009-00-01T00:00:00Z",
                           "2009-01-00T00:00:00Z",
                           "2009-02-13T24:00:00Z",
                           "2009-02-13T23:60:00Z",
                           "2009-02-13T23:59:60Z",
                           "2009-02-13T23:31:30.Z",
                           "2009-02-13T23:31:30,5Z",
                           "2009-02-13T23:31:30ZZ",
                           "2009-02-13T23:31:30Z ",
                           " 2009-02-13T23:31:30Z",
                           "2009-02-13T23:31:30+1:00",
                           "2009-02-13T23:31:30+01",
                           "2009-02-13T23:31:30+24:00",
                           "2009-02-13T23:31:30+01:60",
                           "2009-02-13T23:31:30 01:00",
                           "-009-02-13T23:31:30Z",
                           "+2009-02-13T23:31:30Z",
                           "10000-01-01T00:00:00Z",
                           "0000-01-01T00:00:00Z",
                           "0001-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01"}) {
    EXPECT_EQ(read_timestamp(text), "refused") << text;
  }
}

TEST(TimeText, DurationsAreReadAndWritten) {
  struct Case {
    const char* text;
    const char* written;
  };
  const Case cases[] = {{"1h30m", "5400s"},
                        {"1.5s", "1.5s"},
                        {"-1.5s", "-1.5s"},
                        {"+3s", "3s"},
                        {"0", "0s"},
                        {"-0", "0s"},
                        {"0s", "0s"},
                        {"1000000s", "1000000s"},
                        {".5s", "0.5s"},
                        {"1.s", "1s"},
                        {"1ns", "0.000000001s"},
                        {"-1ns", "-0.000000001s"},
                        {"1us", "0.000001s"},
                        {"1\xC2\xB5s", "0.000001s"},
                        {"1\xCE\xBCs", "0.000001s"},
                        {"1ms", "0.001s"},
                        {"1m", "60s"},
                        {"1h2m3s4ms5us6ns", "3723.004005006s"},
                        {"1s1s", "2s"},
                        {"0.3333333333333333333h", "1199.999999999s"},
                        {"0.9ns", "0s"},
                        {"9223372036.854775807s", "9223372036.854775807s"},
                        {"-9223372036.854775808s", "-9223372036.854775808s"}};
  for (const Case& c : cases) EXPECT_EQ(read_duration(c.text), c.written) << c.text;
}

TEST(TimeText, WhatIsNoDurationIsRefused) {
  for (const char* text : {"",
                           "-",
                           "+",
                           "1",
                           "s",
                           ".",
                           ".s",
                           "-s",
                           "1x",
                           "1 s",
                           " 1s",
                           "1s ",
                           "1sx",
                           "1d",
                           "--1s",
                           "1h-1m",
                           "1.2.3s",
                           "00",
                           "9223372036.854775808s",
                           "-9223372036.854775809s",
                           "320000000000s",
                           "2562048h",
                           "99999999999999999999999999999999999999999999s",
                           "1e3s"}) {
    EXPECT_EQ(read_duration(text), "refused") << text;
  }
}

TEST(TimeText, RangeOfDurationsIsThatOfNanoseconds) {
  EXPECT_TRUE(duration_in_range(9223372036, 854775807));
  EXPECT_FALSE(duration_in_range(9223372036, 854775808));
  EXPECT_TRUE(duration_in_range(-9223372036, -854775808));
  EXPECT_FALSE(duration_in_range(-9223372036, -854775809));
  EXPECT_FALSE(duration_in_range(INT64_MIN, 0));
  EXPECT_FALSE(duration_in_range(INT64_MAX, 0));
  EXPECT_EQ(duration_nanos(-9223372036, -854775808), INT64_MIN);
  EXPECT_EQ(duration_nanos(1, 5), 1000000005);
  TimeParts parts = duration_of_nanos(-1500000000);
  EXPECT_EQ(parts.seconds, -1);
  EXPECT_EQ(parts.nanos, -500000000);
}

TEST(TimeText, DaysAndDatesAgree) {
  for (int64_t day = -719162; day <= 2932896; day += 97) {
    CivilDay date = civil_from_days(day);
    EXPECT_EQ(days_from_civil(date), day);
  }
  CivilDay first = civil_from_days(-719162);
  EXPECT_EQ(first.year, 1);
  EXPECT_EQ(first.month, 1u);
  EXPECT_EQ(first.day, 1u);
}

}  // namespace
}  // namespace ordain
