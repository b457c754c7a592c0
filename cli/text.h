// Texts that several commands print or read: counts, JSON strings, times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/result.h"

namespace ordain::cli {

/// "1 file", "2 files".
std::string count_text(size_t count, std::string_view noun);

/// The text as a JSON string, in quotes.
std::string json_text(std::string_view text);

/// The text for HTML and XML, in elements and in attributes with double quotes. Characters that XML cannot hold
/// become U+FFFD.
std::string markup_text(std::string_view text);

/// The value of an option such as `--from`, an RFC 3339 timestamp, in nanoseconds since 1970-01-01T00:00:00Z.
/// @returns error "usage", which names the option
Result<int64_t> parse_time_option(std::string_view option, std::string_view text);

/// The time in RFC 3339, without fractions of a second.
std::string format_second(int64_t time_ns);

}  // namespace ordain::cli
