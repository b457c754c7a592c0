// Hexadecimal digits and base64. Every governed call writes ids as hexadecimal digits, so both
// digits of a byte are looked up together.
#include "vm/value/encodings.h"

#include <array>
#include <cstring>

namespace ordain {
namespace {

constexpr auto kHexPairs = [] {
  std::array<std::array<char, 2>, 256> out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = {kHexDigits[i >> 4], kHexDigits[i & 15]};
  return out;
}();

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> kBase64Values = [] {
  std::array<int8_t, 256> out{};
  out.fill(-1);
  for (int8_t i = 0; i < 64; ++i) out[static_cast<unsigned char>(kAlphabet[i])] = i;
  return out;
}();

// Whether this many digits and padding signs encode whole bytes.
bool are_whole(size_t digits, size_t pads, Base64 how) {
  if (digits % 4 == 1) return false;
  if (pads == 0) return how == Base64::lenient || digits % 4 == 0;
  return digits % 4 != 0 && digits % 4 + pads == 4;
}

}  // namespace

void write_hex(std::string_view bytes, char* out) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::memcpy(out + 2 * i, kHexPairs[static_cast<unsigned char>(bytes[i])].data(), 2);
  }
}

std::string hex_of(std::string_view bytes) {
  std::string out(2 * bytes.size(), '\0');
  write_hex(bytes, out.data());
  return out;
}

bool parse_hex(std::string_view text, uint8_t* out, size_t size) {
  if (text.size() != 2 * size) return false;
  for (size_t i = 0; i < size; ++i) {
    const int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

void write_base64(std::string_view bytes, char* out) {
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t have = bytes.size() - at;
    const auto byte = [&](size_t n) { return n < have ? uint32_t{static_cast<unsigned char>(bytes[at + n])} : 0U; };
    const uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    *out++ = kAlphabet[group >> 18];
    *out++ = kAlphabet[group >> 12 & 63];
    *out++ = have > 1 ? kAlphabet[group >> 6 & 63] : '=';
    *out++ = have > 2 ? kAlphabet[group & 63] : '=';
  }
}

std::string base64_of(std::string_view bytes) {
  std::string out(base64_size(bytes.size()), '\0');
  write_base64(bytes, out.data());
  return out;
}

bool read_base64(std::string_view text, Base64 how, char* out, size_t* size) {
  *size = 0;
  if (how == Base64::strict && text.size() % 4 != 0) return false;
  size_t digits = 0, pads = 0;
  uint32_t bits = 0;
  for (const char c : text) {
    if (how == Base64::lenient && (c == '\n' || c == '\r')) continue;
    if (c == '=') {
      ++pads;
      continue;
    }
    const int8_t value = kBase64Values[static_cast<unsigned char>(c)];
    if (value < 0 || pads > 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (++digits % 4 != 1) out[(*size)++] = static_cast<char>(bits >> (6 - 2 * ((digits - 1) % 4)));
  }
  if (!are_whole(digits, pads, how)) return false;
  const uint32_t unused = digits % 4 == 2 ? 0xF : digits % 4 == 3 ? 3 : 0;
  return how == Base64::lenient || (bits & unused) == 0;
}

bool parse_base64(std::string_view text, std::string* bytes) {
  bytes->resize(base64_room(text.size(), Base64::strict));
  size_t size = 0;
  const bool read = read_base64(text, Base64::strict, bytes->data(), &size);
  bytes->resize(size);
  return read;
}

}  // namespace ordain
