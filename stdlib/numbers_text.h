// numbers_text writes and reads numbers in the notation of the expression language, independently
// of the locale.
#pragma once

#include <cstdint>
#include <string_view>

namespace ordain::stdlib {

/// The size of a buffer that holds any text that the writers below produce.
inline constexpr size_t kNumberTextSize = 352;

/// Writes the shortest digits that read back as the same double: with an exponent below 1e-4 and
/// from 1e+06 ("1e+23"), otherwise plain ("0.0045"); "NaN", "+Inf", "-Inf". @returns the number of
/// bytes written.
size_t write_double(double value, char (&out)[kNumberTextSize]);

/// Writes the same digits, never with an exponent; "NaN", "Infinity", "-Infinity".
size_t write_double_plain(double value, char (&out)[kNumberTextSize]);

/// Reads decimal digits with an optional sign. @returns false for any other text and for values
/// outside int.
bool read_int(std::string_view text, int64_t* out);
/// Reads decimal digits. @returns false for any other text and for values outside uint.
bool read_uint(std::string_view text, uint64_t* out);
/// Reads decimal or (with 0x and a p exponent) hexadecimal floating point, or inf, infinity or nan
/// in any case, with an optional sign. Values that are too small become zero. @returns false for
/// any other text and for values that are too large.
bool read_double(std::string_view text, double* out);

}  // namespace ordain::stdlib
