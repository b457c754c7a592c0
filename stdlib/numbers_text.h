// Numbers as text and back, as the expression language writes them. None of it depends on a locale.
#pragma once

#include <cstdint>
#include <string_view>

namespace ordain::stdlib {

/// Room for any text that the writers below make.
inline constexpr size_t kNumberTextSize = 352;

/// The shortest digits that read back as the same double: with an exponent below 1e-4 and from 1e+06 ("1e+23"), else
/// plain
/// ("0.0045"); "NaN", "+Inf", "-Inf". @returns the bytes written.
size_t write_double(double value, char (&out)[kNumberTextSize]);

/// The same digits, never with an exponent; "NaN", "Infinity", "-Infinity".
size_t write_double_plain(double value, char (&out)[kNumberTextSize]);

/// Decimal digits with an optional sign. @returns false on anything else and outside int.
bool read_int(std::string_view text, int64_t* out);
/// Decimal digits. @returns false on anything else and outside uint.
bool read_uint(std::string_view text, uint64_t* out);
/// Decimal or (with 0x and a p exponent) hexadecimal floating point, inf, infinity or nan in any case, with an optional
/// sign. What is too small is zero. @returns false on anything else and on what is too large.
bool read_double(std::string_view text, double* out);

}  // namespace ordain::stdlib
