// Encodes bytes as text, and back: hexadecimal digits and base64 (RFC 4648, section 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ordain {

inline constexpr char kHexDigits[] = "0123456789abcdef";

/// Writes two lower-case digits for each byte; `out` must have room for them.
void write_hex(std::string_view bytes, char* out);
std::string hex_of(std::string_view bytes);

/// Reads two lower-case digits for each of `size` bytes. @returns false on anything else.
bool parse_hex(std::string_view text, uint8_t* out, size_t size);

/// The size of the padded text for this many bytes.
constexpr size_t base64_size(size_t bytes) { return (bytes + 2) / 3 * 4; }

/// Writes padded text; `out` must have room for base64_size(bytes.size()).
void write_base64(std::string_view bytes, char* out);
std::string base64_of(std::string_view bytes);

enum class Base64 : uint8_t {
  strict,  ///< accepts only what write_base64 writes, so that no two texts mean the same bytes
  lenient  ///< padding may be missing, line ends are skipped, unused bits may be set
};

/// The most bytes that read_base64 may write for a text of this size.
constexpr size_t base64_room(size_t text, Base64 how) { return text / 4 * 3 + (how == Base64::strict ? 0 : 3); }

/// Reads base64; `out` must have room for base64_room(text.size(), how). @returns false on anything
/// else.
bool read_base64(std::string_view text, Base64 how, char* out, size_t* size);

/// Reads strict base64. After a failure the content of `bytes` is meaningless.
bool parse_base64(std::string_view text, std::string* bytes);

}  // namespace ordain
