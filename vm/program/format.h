// The parts of the serialised form that its writer and its reader share, and a bounds-checked
// reader of bytes. The grammar is in docs/bytecode.md.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ordain::format {

inline constexpr std::string_view kMagic = "ORDAINPB";
inline constexpr uint32_t kVersion = 6;

/// The sections, in their order in a file.
enum class Section : uint8_t { strings, types, places, schema, symbols, constants, imports, code, rules, plan };
inline constexpr size_t kSectionCount = 10;
inline constexpr std::string_view kSectionNames[kSectionCount] = {"strings",   "types",   "places", "schema", "symbols",
                                                                  "constants", "imports", "code",   "rules",  "plan"};
inline constexpr size_t kHeaderSize = 8 + 4 + 4 * kSectionCount;
inline constexpr size_t kMaxFileSize = size_t{1} << 30;

/// Appends to a string. Numbers are little-endian; `number` writes a varint (LEB128).
class Writer {
 public:
  void byte(uint8_t value) { out_ += static_cast<char>(value); }
  void number(uint64_t value) {
    if (value < 0x80) return byte(static_cast<uint8_t>(value));
    char buffer[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) buffer[size++] = static_cast<char>(value | 0x80);
    buffer[size++] = static_cast<char>(value);
    out_.append(buffer, size);
  }
  /// Writes few bytes for a small number, whether positive or negative.
  void signed_number(int64_t value) { number(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63)); }
  /// Writes `value` + 1, or 0 for UINT32_MAX, which means none.
  void optional(uint32_t value) { number(value == UINT32_MAX ? 0 : uint64_t{value} + 1); }
  void fixed32(uint32_t value) {
    char buffer[4];
    for (int i = 0; i < 4; ++i) buffer[i] = static_cast<char>(value >> (8 * i));
    out_.append(buffer, 4);
  }
  void real(double value) {
    const auto bits = std::bit_cast<uint64_t>(value);
    fixed32(static_cast<uint32_t>(bits));
    fixed32(static_cast<uint32_t>(bits >> 32));
  }
  void bytes(std::string_view value) { out_ += value; }

  std::string& text() { return out_; }

 private:
  std::string out_;
};

/// Reads what Writer wrote. After the first failure every read gives zero and `failed` stays true.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  uint8_t byte() {
    if (at_ == end_) return static_cast<uint8_t>(fail());
    return static_cast<uint8_t>(*at_++);
  }
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t next = byte();
      value |= static_cast<uint64_t>(next & 0x7F) << shift;
      if (next >= 0x80) continue;
      if (shift == 63 && next > 1) return fail();
      return next == 0 && shift > 0 ? fail_form() : value;  // fewer bytes would encode the same
    }
    return fail();
  }
  int64_t signed_number() {
    const uint64_t value = number();
    return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
  }
  uint32_t number32() {
    const uint64_t value = number();
    return static_cast<uint32_t>(value <= UINT32_MAX ? value : fail());
  }
  uint32_t optional() {
    const uint64_t value = number();
    if (value == 0) return UINT32_MAX;
    return static_cast<uint32_t>(value <= UINT32_MAX ? value - 1 : fail());
  }
  bool flag() {
    const uint8_t value = byte();
    if (value > 1) fail();
    return value == 1;
  }
  uint32_t fixed32() {
    uint32_t value = 0;
    for (int shift = 0; shift < 32; shift += 8) value |= static_cast<uint32_t>(byte()) << shift;
    return value;
  }
  double real() {
    const uint64_t low = fixed32();
    return std::bit_cast<double>(low | static_cast<uint64_t>(fixed32()) << 32);
  }
  std::string_view bytes(uint64_t size) {
    if (size > left()) {
      fail();
      return {};
    }
    const std::string_view out(at_, static_cast<size_t>(size));
    at_ += size;
    return out;
  }
  /// Reads a count of items that take at least `smallest` bytes each. It is never more than the
  /// bytes left can hold, so memory reserved for the items stays in proportion to the file.
  uint32_t count(size_t smallest = 1) {
    const uint64_t value = number();
    return static_cast<uint32_t>(value <= left() / smallest && value < UINT32_MAX ? value : fail());
  }

  const char* position() const { return at_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  bool failed() const { return failed_; }
  /// Whether the failure is that Writer encodes the same content in other bytes.
  bool failed_form() const { return failed_form_; }
  uint64_t fail() {
    failed_ = true;
    at_ = end_;
    return 0;
  }
  uint64_t fail_form() {
    failed_form_ = true;
    return fail();
  }

 private:
  const char* at_;
  const char* end_;
  bool failed_ = false;
  bool failed_form_ = false;
};

}  // namespace ordain::format
